"""How the arms of a comparison learned, together on one chart: validation score by time."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from segmint.comparisons.cell import WHOLE
from segmint.comparisons.plan import CELLS
from segmint.comparisons.table import ComparisonTable, TableRow
from segmint.reports.chart import MOST_OTHERS, Chart, Curve
from segmint.reports.curve_chart import curve_chart
from segmint.solvers.training_log import TABLE

_SCORES = {"mean_iou": "mean IoU", "mean_dice": "mean Dice", "accuracy": "accuracy"}
"""What validation may have measured: the first that the tables have."""

_CAPTION = (
    "Mean over seeds, as long as all of them learned; epochs of a training are taken to be equally "
    "long. Of an arm with several networks the one that answers unasked is shown."
)
_MOST_ROWS = 100_000

Points = list[tuple[float, float]]
"""Seconds and score of each epoch."""


def comparison_chart(table: ComparisonTable, folder: Path) -> Chart | None:
    """The validation score of each arm by the seconds it had learned, mean over seeds.

    Epochs are taken to be equally long, for tables of trainings hold no times. Of an arm with
    several networks the one that answers unasked is shown.

    Args:
        table: of the comparison.
        folder: that holds its cells.

    Returns:
        The chart, or None where no cell has a history of scores.
    """
    first_rows = {row.label: row for row in reversed(table.rows)}
    for score, title in _SCORES.items():
        curves = [
            curve for label in table.labels for curve in _curve(folder, first_rows[label], score)
        ]
        if curves:
            shown, more = curves[: MOST_OTHERS + 1], len(curves) - MOST_OTHERS - 1
            left_out = f" {more} further arms are left out." if more > 0 else ""
            return curve_chart(
                shown, "seconds of learning", f"{title}, validation", caption=_CAPTION + left_out
            )
    return None


def _curve(folder: Path, row: TableRow, score: str) -> Iterator[Curve]:
    """The mean of the curves of all seeds; nothing where one has none."""
    column = f"val_{row.answer}/{score}" if row.answer != WHOLE else f"val_{score}"
    seconds = zip(row.seeds, row.seconds.values, strict=True)
    found = [
        _points(folder / CELLS / row.label / f"seed-{seed}" / TABLE, column, spent or 0.0)
        for seed, spent in seconds
    ]
    together = list(zip(*found, strict=False))
    if together:
        yield Curve(
            name=row.title,
            x=[sum(second for second, _ in points) / len(points) for points in together],
            y=[sum(value for _, value in points) / len(points) for points in together],
        )


def _points(path: Path, column: str, seconds: float) -> Points:
    rows = _rows(path)
    steps = [step for each in rows if (step := _number(each, "step")) is not None]
    if not steps or not seconds:
        return []
    found = ((_number(each, "step"), _number(each, column)) for each in rows)
    return [
        (seconds * step / max(steps), value)
        for step, value in found
        if step is not None and value is not None
    ]


def _rows(path: Path) -> Sequence[Mapping[str, str | None]]:
    """Rows of a table; none where it is not there or cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(itertools.islice(csv.DictReader(file), _MOST_ROWS))
    except (OSError, ValueError, csv.Error):
        return []


def _number(row: Mapping[str, str | None], column: str) -> float | None:
    try:
        value = float(row.get(column) or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
