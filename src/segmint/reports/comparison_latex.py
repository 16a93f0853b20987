"""The table of a comparison as LaTeX, for a paper; it needs the package booktabs alone."""

from __future__ import annotations

import re

from segmint.comparisons.table import ComparisonTable
from segmint.reports.comparison_cells import (
    ABSENT,
    ShownCell,
    failed_cells,
    legend,
    shown_columns,
    unfinished,
)

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "±": r"$\pm$",
    "µ": r"$\mu$",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
_LEFT_OUT = ("seeds", "steps")
"""Columns for which a page has no room; the caption tells the seeds."""

_OPENING = re.compile(r'"(?=\w)')
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPES)))


def comparison_latex(table: ComparisonTable) -> str:
    """A table in the shape of the mutual information study's: data, model, scores, costs.

    Returns:
        A ``table`` environment under a comment that names the package; text is escaped, so that
        names cannot break it.
    """
    columns = [column for column in shown_columns(table) if column.title not in _LEFT_OUT]
    head = ["Data", "Model", *(column.title for column in columns)]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(table)}}}",
        rf"\begin{{tabular}}{{ll{'r' * len(columns)}}}",
        r"\toprule",
        _line([_escaped(title) for title in head]),
        r"\midrule",
    ]
    for index, row in enumerate(table.rows):
        data = "" if index else _escaped(f"{table.dataset} {table.split}")
        cells = [_number(column.cells[index]) for column in columns]
        lines.append(_line([data, _escaped(row.title), *cells]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _caption(table: ComparisonTable) -> str:
    said = [unfinished(table), *legend(table, best="bold")]
    said += [f"Failed: {line}." for line in failed_cells(table)]
    return _escaped(" ".join(text for text in said if text))


def _line(cells: list[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _number(cell: ShownCell) -> str:
    """Mean and deviation as a formula, bold where they are the best."""
    if cell.mean == ABSENT:
        return "--"
    text = cell.joined(r" \pm ").replace(",", "{,}")
    return rf"$\mathbf{{{text}}}$" if cell.best else f"${text}$"


def _escaped(text: str) -> str:
    r"""One line in which nothing is a command.

    Example:
        >>> print(_escaped("a_b&c%"))
        a\_b\&c\%
    """
    line = _OPENING.sub("``", " ".join(text.split()))
    return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], line)
