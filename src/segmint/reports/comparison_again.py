"""The report of a comparison once more, from the cells that its folder holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segmint.comparisons.cell import CellResult
from segmint.comparisons.cell_folder import read_result
from segmint.comparisons.plan import Comparison
from segmint.comparisons.plan_storage import read_plan
from segmint.comparisons.tabulation import tabulate
from segmint.errors import InputError
from segmint.reports.comparison_examples import gather_examples
from segmint.reports.comparison_report import ComparisonFiles, write_comparison
from segmint.reports.comparison_storage import read_table


def write_again(folder: Path) -> ComparisonFiles:
    """Write the tables, the figure and the page that ``segmint compare`` wrote, or would by now.

    Args:
        folder: of a comparison, finished or not.

    Raises:
        InputError: when the folder is damaged or the data set is gone; then nothing is written.
        OutputError: when a file cannot be written.
    """
    comparison = read_plan(folder)
    if not comparison.root.is_dir():
        raise InputError(
            f"the data set is no longer in {comparison.root}, without which {folder} gets no "
            "pictures: put it back; the report that is there stays as it was"
        )
    results = list(_results(comparison))
    table = tabulate(comparison, results)
    return write_comparison(table, gather_examples(comparison, table, results), folder)


def _results(comparison: Comparison) -> Iterator[CellResult]:
    """What the cells hold, and of those that failed what the table says."""
    failures = {(each.label, each.seed): each for each in read_table(comparison.out).failures}
    for arm, seed in comparison.cells:
        found = read_result(comparison, arm.label, seed) or failures.get((arm.label, seed))
        if found is not None:
            yield found
