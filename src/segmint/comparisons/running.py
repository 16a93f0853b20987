"""Run the cells of a comparison, each in a process of its own; a failure stops no other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from segmint.comparisons.cell import CellResult
from segmint.comparisons.cell_folder import read_result
from segmint.comparisons.cell_process import Errand, Report, work
from segmint.comparisons.plan import Comparison
from segmint.comparisons.preloading import modules_of
from segmint.errors import InputError, UsageError
from segmint.forking import process_context, without_script
from segmint.recipes.run_folder import CONFIG

Told = Callable[[str, int, str], None]
"""Told the label of an arm, a seed, and how that cell goes."""

_PATIENCE = 30.0
"""Seconds that a process gets to end after its last word."""


def run_cells(
    comparison: Comparison,
    *,
    jobs: int = 1,
    begin: Callable[[Sequence[CellResult]], None] = lambda finished: None,
    after: Callable[[CellResult], None] = lambda result: None,
    progress: Told = lambda label, seed, text: None,
) -> tuple[CellResult, ...]:
    """Run what has not run yet.

    Args:
        comparison: that was planned.
        jobs: cells at once.
        begin: called first, with the cells that were finished before.
        after: called with each cell that has run now, failed or not, in the order they end.
        progress: told now and then how a cell goes that takes long.

    Returns:
        Every cell in the order of the comparison, those that failed included.

    Raises:
        InputError: for a damaged ``cell.json``.
        KeyboardInterrupt: when the user stops it; nothing of a finished cell is lost.
    """
    results: dict[tuple[str, int], CellResult] = {}
    waiting: list[Errand] = []
    for arm, seed in comparison.cells:
        finished = read_result(comparison, arm.label, seed)
        if finished is None:
            waiting.append(Errand(comparison=comparison, label=arm.label, seed=seed))
        else:
            results[arm.label, seed] = finished
    begin(list(results.values()))
    with closing(_reports(comparison, waiting, jobs=jobs)) as reports:
        for errand, report in reports:
            if report.kind == "progress":
                progress(errand.label, errand.seed, report.text)
                continue
            result = _result(errand, report)
            results[errand.label, errand.seed] = result
            after(result)
    return tuple(results[arm.label, seed] for arm, seed in comparison.cells)


def rehearse_arms(comparison: Comparison, *, anew: bool = False) -> None:
    """Find out whether each recipe could learn, before the first of them does.

    Args:
        comparison: that was planned.
        anew: try all; otherwise those of which no cell has begun to learn.

    Raises:
        UsageError: names the arm that could not.
    """
    errands = []
    for arm in comparison.arms:
        places = [comparison.folder(arm.label, seed) for seed in comparison.seeds]
        begun = not anew and any((place / CONFIG).is_file() for place in places)
        if arm.way == "recipe" and not begun:
            seed = comparison.seeds[0]
            errands.append(
                Errand(comparison=comparison, label=arm.label, seed=seed, rehearsal=True)
            )
    with closing(_reports(comparison, errands, jobs=1)) as reports:
        for errand, report in reports:
            if report.kind == "failed":
                raise UsageError(f"the arm {errand.label} cannot learn: {report.text}")


def _result(errand: Errand, report: Report) -> CellResult:
    if report.kind == "failed":
        return CellResult(label=errand.label, seed=errand.seed, error=report.text)
    found = read_result(errand.comparison, errand.label, errand.seed)
    if found is None:
        raise InputError(
            f"{errand.comparison.folder(errand.label, errand.seed)} has lost its scores: "
            "compare again"
        )
    return found


@dataclass(kw_only=True)
class _Worker:
    """A process, what it does, and the line on which it tells of it."""

    errand: Errand
    process: BaseProcess
    line: Connection
    report: Report | None = field(default=None)
    """How it ended, by its own word."""


def _reports(
    comparison: Comparison, errands: Sequence[Errand], *, jobs: int
) -> Generator[tuple[Errand, Report]]:
    """Do errands, so many at once; no process is left when this ends, however it does."""
    if not errands:
        return
    context = process_context(modules_of(comparison))
    waiting = list(errands)
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(_started(context, waiting.pop(0)))
            wait([each.line for each in workers])
            for worker in list(workers):
                if worker.line.poll():
                    report = _heard(worker)
                    if report.kind != "progress":
                        workers.remove(worker)
                    yield worker.errand, report
    finally:
        for worker in workers:
            _end(worker)


def _started(context: BaseContext, errand: Errand) -> _Worker:
    line, far_end = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(errand, far_end))  # type: ignore[attr-defined]
    with without_script():
        process.start()
    far_end.close()
    return _Worker(errand=errand, process=process, line=line)


def _heard(worker: _Worker) -> Report:
    """What a process tells next, or that it is no more."""
    try:
        report: Report = worker.line.recv()
    except EOFError:
        worker.process.join(_PATIENCE)
        code = worker.process.exitcode or 0
        _end(worker)
        return Report(kind="failed", text=_death(code))
    if report.kind != "progress":
        worker.process.join(_PATIENCE)
        _end(worker)
    return report


def _end(worker: _Worker) -> None:
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join()
    worker.process.close()
    worker.line.close()


def _death(code: int) -> str:
    if code == -9:
        return (
            "its process was killed (signal 9), as happens when memory runs out: give a smaller "
            "batch or crop, or fewer --jobs"
        )
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"its process ended without a word ({how})"
