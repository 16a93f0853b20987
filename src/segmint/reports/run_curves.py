"""How a run learned, as charts: losses, scores and the learning rate by epoch or iteration."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segmint.reports.chart import Chart, Curve
from segmint.reports.curve_chart import best_point, curve_chart
from segmint.reports.peer_curves import is_of_peers, training_charts, validation_charts
from segmint.reports.run_examples import evenly

Rows = Sequence[Mapping[str, Any]]
"""What ``log.csv`` says of each epoch; a value that is missing, None or NaN is left out."""

_TIMES = ("epoch", "iteration", "step")
"""What rows are counted by: the first of these that they have."""

_LOSSES = {"loss": "training", "objective": "training", "val_loss": "validation"}
_SCORES = {"val_mean_iou": "mean IoU", "val_accuracy": "accuracy", "val_mean_dice": "mean Dice"}
_ALONE = {"nll": "negative log-likelihood (nats a pixel)", "components": "components"}
_VALIDATION = "val_"
_RATE = "learning_rate"
_LEAST_PLAIN = 0.01
"""Smaller learning rates than this are shown as multiples of a power of ten."""

_CHART_CURVES = 4
_MOST_POINTS = 500


def learning_charts(rows: Rows) -> tuple[Chart, ...]:
    """Charts of everything that a training wrote down.

    Args:
        rows: the history of a run; without any there is no chart.
    """
    time = next((name for name in _TIMES if rows and name in rows[0]), None)
    if time is None:
        return ()
    curves: dict[str, Curve] = {}
    for name in dict.fromkeys(name for row in rows for name in row if name not in _TIMES):
        known = [(row[time], row[name]) for row in rows if _is_number(row.get(name))]
        if known:
            x, y = zip(*_thinned(known), strict=True)
            curves[name] = Curve(name=name, x=x, y=y)
    return tuple(_charts(curves, time))


def _charts(curves: Mapping[str, Curve], time: str) -> Iterator[Chart]:
    peers = {name: curve for name, curve in curves.items() if is_of_peers(name)}
    losses = _renamed(curves, _LOSSES)
    if losses:
        yield curve_chart(losses, time, "loss, sum of all networks" if peers else "loss")
    known = {*_LOSSES, *_SCORES, *_ALONE, *peers, _RATE}
    others = {name: curve for name, curve in curves.items() if name not in known}
    terms = [curve for name, curve in others.items() if not name.startswith(_VALIDATION)]
    if len(terms) > 1:
        for start in range(0, len(terms), _CHART_CURVES):
            shown = terms[start : start + _CHART_CURVES]
            yield curve_chart(shown, time, "term, with its weight")
    yield from training_charts(peers, time)
    scores = _renamed(curves, _SCORES)
    if scores:
        caption = f"Best {best_point(scores[0], time)}."
        yield curve_chart(scores, time, "validation score", caption=caption)
    for curve in _renamed(curves, _ALONE):
        yield curve_chart([curve], time, curve.name, from_zero=curve.name == "components")
    for name, curve in others.items():
        if name.startswith(_VALIDATION):
            title = name.removeprefix(_VALIDATION).replace("_", " ")
            yield curve_chart([curve], time, f"{title} (validation)")
    yield from validation_charts(peers, time)
    if _RATE in curves:
        yield _rate_chart(curves[_RATE], time)


def _renamed(curves: Mapping[str, Curve], names: Mapping[str, str]) -> list[Curve]:
    """Those of the curves that have another name for readers."""
    return [
        Curve(name=title, x=curves[name].x, y=curves[name].y)
        for name, title in names.items()
        if name in curves
    ]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """As many points as the eye can tell apart, the ends, the least and the greatest among them."""
    if len(points) <= _MOST_POINTS:
        return points
    values = [value for _, value in points]
    kept = {values.index(min(values)), values.index(max(values))}
    kept.update(evenly(len(points), _MOST_POINTS))
    return [points[index] for index in sorted(kept)]


def _rate_chart(curve: Curve, time: str) -> Chart:
    """The learning rate in a unit that leaves few digits on the axis."""
    power = math.floor(math.log10(max(curve.y))) if 0 < max(curve.y) < _LEAST_PLAIN else 0
    scaled = [value / 10.0**power for value in curve.y]
    unit = "" if power == 0 else f" (1e{power})"
    shown = Curve(name="learning rate", x=curve.x, y=scaled)
    return curve_chart([shown], time, f"learning rate{unit}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
