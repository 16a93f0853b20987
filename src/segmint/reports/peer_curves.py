"""How peers learned, as charts: each figure of all of them on the same axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from segmint.reports.chart import MOST_OTHERS, STYLES, Chart, Curve
from segmint.reports.curve_chart import best_point, curve_chart
from segmint.solvers.peer_names import ENSEMBLE, SOLO

_VALIDATION = "val_"
_PAIR = "divergence"
_AGREEMENT = {"agreement": "training", "val_agreement": "validation"}
_GAP = "val_gap"
_RANKED = "mean_iou"
"""What the caption names the best of."""

_TITLES = {"mean_iou": "mean IoU", "mean_dice": "mean Dice", "mutual": "loss by the others"}
_CAPTIONS = {"mutual": "How far each is from those that teach it, with its weight."}
_TERM = "A term of each network's own loss in training, with its weight."
_THIN = "Thin: the twins that learned alone."
_DIVERGENCE = (
    "How far what the second predicts is from what the first does (Kullback-Leibler divergence at "
    "the temperature of the run), 0 where both predict the same."
)

_CHART_CURVES = MOST_OTHERS + 1
_DISTINCT = STYLES - 1
"""Styles of peers, for the last one is that of ensembles."""


def is_of_peers(name: str) -> bool:
    """Whether a column of the log is a figure of one of several networks, or of all of them.

    Example:
        >>> is_of_peers("val_unet/mean_iou"), is_of_peers("val_mean_iou")
        (True, False)
    """
    return "/" in name or name in _AGREEMENT or name == _GAP


def training_charts(curves: Mapping[str, Curve], time: str) -> Iterator[Chart]:
    """Terms of each network's loss, divergences by pair, and how often all agree.

    Args:
        curves: columns for which :func:`is_of_peers` holds.
        time: what rows are counted by.
    """
    grouped = _by_figure(curves, validation=False)
    pairs = grouped.pop(_PAIR, [])
    for figure, found in grouped.items():
        caption = _CAPTIONS.get(figure, _TERM)
        yield from _charts_of(found, time, _title(figure), caption=caption)
    for shown in _parts(pairs):
        yield curve_chart(shown, time, "divergence (nats)", caption=_DIVERGENCE)
    agreement = _renamed(curves, _AGREEMENT)
    if agreement:
        caption = "Share of the pixels on which all peers predict the same class."
        yield curve_chart(agreement, time, "agreement", caption=caption, holds=(0, 1))


def validation_charts(curves: Mapping[str, Curve], time: str) -> Iterator[Chart]:
    """Scores of each network and each ensemble, and how far the peers are apart.

    Args:
        curves: columns for which :func:`is_of_peers` holds.
        time: what rows are counted by.
    """
    for figure, found in _by_figure(curves, validation=True).items():
        title = f"{_title(figure)} (validation)"
        yield from _charts_of(found, time, title, ranked=figure == _RANKED)
    if _GAP in curves:
        caption = "Mean IoU of the best peer minus that of the worst, in the validation."
        yield curve_chart([curves[_GAP]], time, "gap in mean IoU", caption=caption)


def _by_figure(curves: Mapping[str, Curve], *, validation: bool) -> dict[str, list[Curve]]:
    """Of each figure the curves of all that have it, named by whose they are."""
    grouped: dict[str, list[Curve]] = {}
    styles = _styles(curves)
    for name, curve in curves.items():
        who, slash, figure = name.rpartition("/")
        if slash and who.startswith(_VALIDATION) == validation:
            who = who.removeprefix(_VALIDATION)
            shown = Curve(
                name=who.replace(">", " to "),
                x=curve.x,
                y=curve.y,
                style=styles.get(who.removesuffix(SOLO), 0),
                thin=who.endswith(SOLO),
            )
            grouped.setdefault(figure, []).append(shown)
    return grouped


def _styles(names: Iterable[str]) -> dict[str, int]:
    """One style for each peer and its twin in all charts, and the last one for ensembles."""
    owners = (name.rpartition("/")[0].removeprefix(_VALIDATION) for name in names)
    peers = dict.fromkeys(
        who.removesuffix(SOLO)
        for who in owners
        if who and ">" not in who and who.removesuffix(SOLO) != ENSEMBLE
    )
    return {ENSEMBLE: STYLES} | {who: place % _DISTINCT + 1 for place, who in enumerate(peers)}


def _charts_of(
    curves: Sequence[Curve], time: str, title: str, *, caption: str = "", ranked: bool = False
) -> Iterator[Chart]:
    """One chart where it has room for all; else those that learned together, then the others."""
    ends = tuple(value for curve in curves for value in (min(curve.y), max(curve.y)))
    for shown, suffix in _split(curves):
        told = caption
        if ranked:
            told = f"Best {'; '.join(best_point(curve, time) for curve in shown)}."
        elif len(shown) == 1:
            told = f"Of {shown[0].name}. {caption}".strip()
        if len({curve.thin for curve in shown}) > 1:
            told = f"{told} {_THIN}".strip()
        yield curve_chart(shown, time, f"{title}{suffix}", caption=told, holds=ends)


def _split(curves: Sequence[Curve]) -> Iterator[tuple[Sequence[Curve], str]]:
    distinct = {curve.name.removesuffix(SOLO) for curve in curves} - {ENSEMBLE}
    if len(curves) <= _CHART_CURVES and len(distinct) <= _DISTINCT:
        yield curves, ""
        return
    for solo, suffix in ((False, ""), (True, ", alone")):
        chosen = [curve for curve in curves if curve.thin == solo]
        yield from ((shown, suffix) for shown in _parts(chosen))


def _parts(curves: Sequence[Curve]) -> Iterator[Sequence[Curve]]:
    """Shares of a like size that a chart has room for, the ensemble in each of them."""
    names = (ENSEMBLE, f"{ENSEMBLE}{SOLO}")
    always = [curve for curve in curves if curve.name in names]
    others = [curve for curve in curves if curve.name not in names]
    parts = math.ceil(len(others) / _DISTINCT)
    for part in range(parts):
        start, end = (len(others) * place // parts for place in (part, part + 1))
        yield [*others[start:end], *always]


def _renamed(curves: Mapping[str, Curve], names: Mapping[str, str]) -> list[Curve]:
    return [
        Curve(name=title, x=curves[name].x, y=curves[name].y)
        for name, title in names.items()
        if name in curves
    ]


def _title(figure: str) -> str:
    return _TITLES.get(figure, figure.replace("_", " "))
