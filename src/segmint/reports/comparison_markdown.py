"""The table of a comparison as Markdown, for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from segmint.comparisons.table import ComparisonTable
from segmint.reports.comparison_cells import (
    ShownCell,
    failed_cells,
    legend,
    shown_columns,
)
from segmint.reports.comparison_outcome import outcome
from segmint.reports.comparison_pairs import (
    pair_cells,
    pair_columns,
    pair_notes,
    row_pairs,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")


def comparison_markdown(table: ComparisonTable) -> str:
    """A table of rows by scores, one of pairs, and under them what they mean and what was found.

    Returns:
        A whole file; no text in it is taken for markup.
    """
    columns = shown_columns(table)
    head = ("data", "model", *(column.title for column in columns))
    rows: list[tuple[str | ShownCell, ...]] = [
        (
            "" if index else f"{table.dataset} {table.split}",
            row.title,
            *(column.cells[index] for column in columns),
        )
        for index, row in enumerate(table.rows)
    ]
    said = [*legend(table, best="bold"), *table.notes]
    said += [f"Failed: {line}" for line in failed_cells(table)]
    if table.missing:
        said.append(f"Not run yet: {'; '.join(table.missing)}.")
    parts = [_escaped(outcome(table)), _table(head, rows, names=2), _listed(said)]
    pairs = row_pairs(table)
    if pairs:
        told = [pair_cells(table, pair) for pair in pairs]
        parts += [_table(pair_columns(table), told, names=1), _listed(list(pair_notes(table)))]
    if table.command:
        parts.append(f"To do it once more:\n\n{_code(table.command)}")
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str | ShownCell]], *, names: int) -> str:
    """Rows between bars; the first columns to the left, the others to the right."""
    rules = [":--" if index < names else "--:" for index in range(len(head))]
    lines = [[_escaped(title) for title in head], rules]
    lines += [[_cell(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: str | ShownCell) -> str:
    if isinstance(cell, str):
        return _escaped(cell)
    text = _escaped(cell.joined())
    return f"**{text}**" if cell.best else text


def _listed(texts: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(text)}" for text in texts)


def _escaped(text: str) -> str:
    r"""One line in which nothing is markup.

    Example:
        >>> print(_escaped("a_b|c"))
        a\_b\|c
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(line: str) -> str:
    """A block that the line cannot end."""
    fence = "`" * max([3, *(len(run) + 1 for run in _ticks(line))])
    return f"{fence}sh\n{line}\n{fence}"


def _ticks(text: str) -> Iterator[str]:
    yield from re.findall(r"`+", text)
