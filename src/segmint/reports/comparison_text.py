"""The table of a comparison as plain text for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segmint.comparisons.pairing import FEW_ROWS
from segmint.comparisons.table import ComparisonTable
from segmint.reports.comparison_cells import (
    ShownCell,
    ShownColumn,
    failed_cells,
    legend,
    shortened,
    shown_columns,
)
from segmint.reports.comparison_outcome import outcome
from segmint.reports.comparison_pairs import (
    PAIRS_NOTE,
    RowPair,
    corrected_over,
    pair_cells,
    pair_columns,
    row_pairs,
    tested_pairs,
)

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
    titles = [_shortened(row.title, width) for row in table.rows]
    blocks = [_block(titles, part) for part in _parts(shown_columns(table), titles, width)]
    pairs = _shown_pairs(table)
    blocks += _pair_blocks(table, pairs, width)
    said = [*legend(table, best=BEST), *_pair_notes(table, pairs), *table.notes]
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


def _shown_pairs(table: ComparisonTable) -> list[RowPair]:
    """Of many those with the best row, for the others are in the files."""
    pairs = row_pairs(table)
    if len(pairs) <= _MOST_PAIRS:
        return pairs
    best = table.ranked[0].title
    return [pair for pair in pairs if best in (pair.first, pair.second)]


def _pair_notes(table: ComparisonTable, shown: Sequence[RowPair]) -> Iterator[str]:
    """Which pairs there are, and what their p values were corrected over."""
    every = len(row_pairs(table))
    if len(shown) < every:
        yield f"{len(shown)} of {every} pairs, those with the best row; all are in pairs.csv."
    if len(table.ranked) > FEW_ROWS and every:
        yield PAIRS_NOTE
    counts = {"seeds": tested_pairs(table, "seeds"), "images": tested_pairs(table, "images")}
    told = [f"over {name} {corrected_over(count)}" for name, count in counts.items() if count > 1]
    if told:
        yield f"P values are after Holm's correction: {', '.join(told)}."


def _pair_blocks(
    table: ComparisonTable, pairs: Sequence[RowPair], width: int | None
) -> list[list[str]]:
    if not pairs:
        return []
    cells = zip(*(pair_cells(table, pair) for pair in pairs), strict=True)
    titles, *values = map(list, cells)
    titles = [_shortened(title, width) for title in titles]
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


def _shortened(title: str, width: int | None) -> str:
    """A name that leaves room for a number beside it."""
    title = " ".join(title.split())
    most = _LONGEST_TITLE if width is None else min(_LONGEST_TITLE, max(width // 2 - 2, 8))
    return shortened(title, most)


def _wrapped(text: str, width: int | None) -> list[str]:
    import textwrap

    if width is None:
        return [text]
    return textwrap.wrap(text, max(width, 20), break_on_hyphens=False) or [""]
