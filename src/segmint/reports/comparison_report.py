"""Everything that a comparison leaves behind: its table in every format, a figure, a page.

write_comparison(table, examples, "segmint-comparison").page
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segmint.comparisons.table import ComparisonTable
from segmint.images import save_picture
from segmint.reports.comparison_csv import cells_csv, pairs_csv, table_csv
from segmint.reports.comparison_curves import comparison_chart
from segmint.reports.comparison_examples import ComparisonExample
from segmint.reports.comparison_figure import draw_comparison_figure
from segmint.reports.comparison_latex import comparison_latex
from segmint.reports.comparison_markdown import comparison_markdown
from segmint.reports.comparison_page import comparison_page
from segmint.reports.comparison_storage import write_table
from segmint.reports.page import write_page
from segmint.runs import write_text

TABLES = {
    "table.md": comparison_markdown,
    "table.csv": table_csv,
    "cells.csv": cells_csv,
    "pairs.csv": pairs_csv,
    "table.tex": comparison_latex,
}
"""Files of text, and what writes each."""

FIGURE = "figure.png"
PAGE = "report.html"


@dataclass(frozen=True, kw_only=True)
class ComparisonFiles:
    """What was written."""

    data: Path
    """``comparison.json``, from which :func:`read_table` gives the table back."""
    tables: tuple[Path, ...]
    page: Path
    figure: Path | None
    """None where no examples were given; an earlier figure stays, and a finished page shows it."""


def write_comparison(
    table: ComparisonTable, examples: Sequence[ComparisonExample], folder: str | Path
) -> ComparisonFiles:
    """Write what is known so far; each file appears whole or not at all.

    Args:
        table: of the cells that have run.
        examples: images that show it; without any it takes some milliseconds, so that it can be
            called after each cell.
        folder: of the comparison, with its cells.

    Raises:
        OutputError: when a file cannot be written.
    """
    folder = Path(folder)
    data = write_table(folder, table)
    for name, text in TABLES.items():
        write_text(folder / name, text(table))
    figure = folder / FIGURE if examples else None
    if figure is not None:
        save_picture(figure, draw_comparison_figure(table, examples))
    earlier = folder / FIGURE if table.finished and (folder / FIGURE).is_file() else None
    chart = comparison_chart(table, folder)
    page = comparison_page(table, examples, chart=chart, picture=figure or earlier)
    return ComparisonFiles(
        data=data,
        tables=tuple(folder / name for name in TABLES),
        page=write_page(folder / PAGE, page),
        figure=figure,
    )
