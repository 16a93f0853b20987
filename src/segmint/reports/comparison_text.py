"""The table of a comparison as plain text for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segmint.comparisons.table import ComparisonTable
from segmint.reports.comparison_cells import (
    ShownCell,
    ShownColumn,
    failed_cells,
    legend,
    shown_columns,
)
from segmint.reports.comparison_outcome import outcome
from segmint.reports.comparison_pairs import pair_cells, pair_columns, row_pairs

BEST = "*"

_GAP = "  "
_MOST_PAIRS = 7
_LONGEST_TITLE = 40
"""Letters of the name of a row."""


def comparison_text(table: ComparisonTable, *, width: int | None = None) -> str:
    """Aligned columns, and under them what they mean and what was found.

    Args:
        table: the comparison.
        width: letters that fit on a line, as of a terminal; columns that do not fit follow in a
            further block. None puts all of them side by side and breaks no line.

    Returns:
        Lines without one at the end.
    """
    titles = [_shortened(row.title) for row in table.rows]
    blocks = [_block(titles, part) for part in _parts(shown_columns(table), titles, width)]
    blocks += _pair_block(table, width)
    said = [*legend(table, best=BEST), *table.notes]
    said += [f"Failed: {line}" for line in failed_cells(table)]
    if table.missing:
        said.append(f"Not run yet: {'; '.join(table.missing)}.")
    paragraphs = ["\n".join(line for text in said for line in _wrapped(text, width))]
    paragraphs.append("\n".join(_wrapped(outcome(table), width)))
    return "\n\n".join([*("\n".join(block) for block in blocks), *paragraphs])


def _parts(
    columns: Sequence[ShownColumn], titles: Sequence[str], width: int | None
) -> Iterator[list[ShownColumn]]:
    """Columns that fit beside the names of the rows, at least one in each part."""
    first = max(map(len, titles), default=0)
    part: list[ShownColumn] = []
    used = first
    for column in columns:
        needed = len(_GAP) + _width(column)
        if part and width is not None and used + needed > width:
            yield part
            part, used = [], first
        part.append(column)
        used += needed
    if part:
        yield part


def _pair_block(table: ComparisonTable, width: int | None) -> list[list[str]]:
    """The pairs; of many those with the best row, for the others are in the files."""
    pairs = row_pairs(table)
    if len(pairs) > _MOST_PAIRS:
        best = table.best(table.main)
        pairs = [pair for pair in pairs if best & {pair.first, pair.second}]
    if not pairs:
        return []
    cells = zip(*(pair_cells(table, pair) for pair in pairs), strict=True)
    titles, *values = map(list, cells)
    columns = [
        ShownColumn(title=head, cells=tuple(ShownCell(mean=value) for value in own))
        for head, own in zip(pair_columns(table)[1:], values, strict=True)
    ]
    return [_block(titles, part) for part in _parts(columns, titles, width)]


def _block(titles: Sequence[str], columns: Sequence[ShownColumn]) -> list[str]:
    """Names of rows to the left, numbers to the right."""
    first = max(map(len, titles), default=0)
    widths = [_width(column) for column in columns]
    head = [column.title.rjust(width) for column, width in zip(columns, widths, strict=True)]
    lines = [[" " * first, *head], ["-" * first, *("-" * width for width in widths)]]
    for index, title in enumerate(titles):
        cells = (_cells(column)[index] for column in columns)
        lines.append([title.ljust(first), *map(str.rjust, cells, widths)])
    return [_GAP.join(line).rstrip() for line in lines]


def _width(column: ShownColumn) -> int:
    return max(map(len, (column.title, *_cells(column))))


def _cells(column: ShownColumn) -> list[str]:
    """The cells of a column, in which means and deviations stand below each other."""
    deviation = max((len(cell.deviation) for cell in column.cells), default=0)
    found = []
    for cell in column.cells:
        text = f"{BEST if cell.best else ''}{cell.mean}"
        if deviation:
            beside = f" ± {cell.deviation.rjust(deviation)}" if cell.deviation else ""
            text += beside.ljust(deviation + 3)
        found.append(text)
    return found


def _shortened(title: str) -> str:
    title = " ".join(title.split())
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 3]}..."


def _wrapped(text: str, width: int | None) -> list[str]:
    import textwrap

    if width is None:
        return [text]
    return textwrap.wrap(text, max(width, 20), break_on_hyphens=False) or [""]
