"""A planned comparison from the first check of its folder to its last cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segmint.comparisons.cell import CellResult
from segmint.comparisons.out_folder import check_out, make_out, open_out, tried_out
from segmint.comparisons.plan import Comparison
from segmint.comparisons.running import Told, rehearse_arms, run_cells
from segmint.locking import only_writer


def conduct(
    comparison: Comparison,
    *,
    overwrite: bool = False,
    jobs: int = 1,
    begin: Callable[[Sequence[CellResult]], None] = lambda finished: None,
    after: Callable[[CellResult], None] = lambda result: None,
    progress: Told = lambda label, seed, text: None,
) -> tuple[CellResult, ...]:
    """Run what has not run yet, after everything is checked.

    Args:
        comparison: that was planned.
        overwrite: throw away the cells that are there.
        jobs: cells at once.
        begin: called when everything is checked, with the cells that were finished before.
        after: called with each cell that has run now, failed or not, in the order they end.
        progress: told now and then how a cell goes that takes long.

    Returns:
        Every cell in the order of the comparison, those that failed included.

    Raises:
        UsageError: for a folder of something else or of other options, or an arm that cannot learn.
        InputError: for a cell that is damaged.
        OutputError: when the folder cannot be written, or another process writes there.
    """
    check_out(comparison, overwrite=overwrite)
    with tried_out(comparison.out):
        rehearse_arms(comparison, anew=overwrite)
    make_out(comparison.out)
    with only_writer(comparison.out):
        open_out(comparison, overwrite=overwrite)
        return run_cells(comparison, jobs=jobs, begin=begin, after=after, progress=progress)
