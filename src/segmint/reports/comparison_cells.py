"""What stands in each cell of a comparison's table, as all formats show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from segmint.comparisons.table import Column, ComparisonTable, Spread, TableRow

ABSENT = "-"

_PLAIN_FROM = 1e-4
"""Smaller seconds and probabilities are told by powers of ten."""


@dataclass(frozen=True, kw_only=True)
class ShownCell:
    """One cell: a mean, and where there are several seeds its deviation."""

    mean: str
    deviation: str = ""
    best: bool = False

    def joined(self, by: str = " ± ") -> str:
        """Mean and deviation."""
        return f"{self.mean}{by}{self.deviation}" if self.deviation else self.mean


@dataclass(frozen=True, kw_only=True)
class ShownColumn:
    """One column: what it is called, and a cell for each row."""

    title: str
    cells: tuple[ShownCell, ...]
    better: Literal["higher", "lower", ""] = ""
    """Empty where neither is."""
    score: bool = False
    """Whether it was measured and not published or spent."""


def shown_columns(table: ComparisonTable) -> list[ShownColumn]:
    """Scores, beside each what was published for it, then what they cost."""
    return [*_score_columns(table), *_cost_columns(table.rows)]


def lowest_is_best(table: ComparisonTable) -> list[str]:
    """Titles of the columns in which less is better."""
    return [column.title for column in table.columns if column.better == "lower"]


def place(table: ComparisonTable) -> str:
    """What was scored: ``camvid test, 233 images``."""
    images = f"{table.n_images:,} image{'' if table.n_images == 1 else 's'}"
    return f"{table.dataset} {table.split}, {images}"


def seeds_told(table: ComparisonTable) -> str:
    """``3 seeds (0, 1, 2)``."""
    listed = ", ".join(map(str, table.seeds))
    return f"{len(table.seeds)} seed{'' if len(table.seeds) == 1 else 's'} ({listed})"


def legend(table: ComparisonTable, *, best: str) -> list[str]:
    """What a reader must know of the numbers: seeds, signs, machine, figures of others.

    Args:
        table: the comparison.
        best: how the best of a column is marked, ``*`` or ``bold``.
    """
    spread = "mean ± standard deviation over seeds" if len(table.seeds) > 1 else "one seed"
    lines = [f"{place(table)}; {seeds_told(table)}: {spread}; {best}: the best of its column."]
    lower = lowest_is_best(table)
    if lower:
        lines.append(f"Lower is better for {', '.join(lower)}.")
    if table.published_source:
        lines.append(f"Published: {table.published_source}.")
    if table.machine:
        lines.append(f"Seconds on {table.machine}.")
    return lines


def unfinished(table: ComparisonTable) -> str:
    """``Unfinished: 5 of 9 cells.``; empty when every cell has run."""
    if table.finished:
        return ""
    return f"Unfinished: {table.n_done} of {table.n_cells} cells have run."


def shortened(text: str, most: int) -> str:
    """A name in so many letters, of a long one its beginning and its end.

    Example:
        >>> shortened("frame_0001_of_the_second_recording_left.png", 32)
        'frame_0001_of_the_sec…g_left.png'
    """
    if len(text) <= most:
        return text
    last = most // 3
    return f"{text[: most - 1 - last]}…{text[-last:]}"


def failed_cells(table: ComparisonTable) -> list[str]:
    """One line for each cell that failed, and why."""
    return [f"{cell.label}, seed {cell.seed}: {cell.error}" for cell in table.failures]


def probability(value: float | None) -> str:
    """A p value in as many digits as mean something.

    Example:
        >>> probability(0.0374), probability(0.00002), probability(None)
        ('0.037', '< 0.001', '-')
    """
    if value is None:
        return ABSENT
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def seconds_told(value: float) -> str:
    """Seconds in three digits.

    Example:
        >>> [seconds_told(value) for value in (0.0, 0.01234, 12.34, 1234.5)]
        ['0', '0.0123', '12.3', '1,234']
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value == 0 or value >= _PLAIN_FROM else f"{value:.1e}"


def _score_columns(table: ComparisonTable) -> Iterator[ShownColumn]:
    for column in table.columns:
        best = table.best(column)
        yield ShownColumn(
            title=column.title,
            cells=tuple(_score_cell(row, column, best) for row in table.rows),
            better=column.better,
            score=True,
        )
        if any(column.name in row.published for row in table.rows):
            cells = (_published_cell(row, column) for row in table.rows)
            yield ShownColumn(title=f"{column.title}, published", cells=tuple(cells))


def _score_cell(row: TableRow, column: Column, best: frozenset[str]) -> ShownCell:
    spread = row.scores.get(column.name, Spread(()))
    if spread.mean is None:
        return ShownCell(mean=ABSENT)
    deviation = "" if spread.deviation is None else f"{spread.deviation:.{column.digits}f}"
    return ShownCell(
        mean=f"{spread.mean:.{column.digits}f}", deviation=deviation, best=row.title in best
    )


def _published_cell(row: TableRow, column: Column) -> ShownCell:
    value = row.published.get(column.name)
    return ShownCell(mean=ABSENT if value is None else f"{value:.4f}")


def _cost_columns(rows: Sequence[TableRow]) -> Iterator[ShownColumn]:
    yield ShownColumn(
        title="seeds", cells=tuple(ShownCell(mean=f"{len(row.seeds)}") for row in rows)
    )
    if any(row.seconds.mean for row in rows):
        yield _cost("seconds", [row.seconds for row in rows])
    yield _cost("s/image", [row.seconds_per_image for row in rows], needed=False)
    if any(row.peak_mib.mean for row in rows):
        yield _cost("peak MiB", [row.peak_mib for row in rows], whole=True)
    if any(row.steps.mean for row in rows):
        yield _cost("steps", [row.steps for row in rows], whole=True)


def _cost(
    title: str, spreads: Sequence[Spread], *, whole: bool = False, needed: bool = True
) -> ShownColumn:
    """Means of what rows took; 0 is absent where it says that nothing was learned."""

    def told(spread: Spread) -> str:
        if spread.mean is None or (needed and not spread.mean):
            return ABSENT
        return f"{spread.mean:,.0f}" if whole else seconds_told(spread.mean)

    return ShownColumn(title=title, cells=tuple(ShownCell(mean=told(each)) for each in spreads))
