"""``segmint compare``: recipes or methods on the same data with the same budget, in one table."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.errors import InputError, UsageError
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.comparisons.cell import CellResult
    from segmint.comparisons.plan import Comparison
    from segmint.comparisons.planning import Question


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Options):
    """What is compared on what, and how long each arm may learn."""

    data: str | None = option(None)
    """Root of the data set."""
    dataset: str = option("auto")
    """Layout of DATA, as 'segmint data list' shows them; auto recognizes it."""
    seeds: int = option(3, low=1, high=1000)
    """How many seeds each arm runs with; --seed is the first."""
    budget_minutes: float | None = option(None, low=1e-3, high=1e6)
    """Minutes that each cell may learn; 10 where neither epochs nor steps are given."""
    epochs: int | None = option(None, low=1)
    """Epochs that each cell learns, in place of minutes."""
    steps: int | None = option(None, low=1)
    """Steps that each cell learns, in place of minutes."""
    split: str | None = option(None)
    """Split that is scored; if not given test where it has a truth, else val."""
    images: int | None = option(None, low=1)
    """Score so many images of it, evenly spread; if not given all."""
    set: tuple[str, ...] = option(())
    """Options, like optimizer.lr=1e-3 for all recipes, components=5 for all methods, and for one
    arm LABEL:network.features=16, LABEL:components=5 or LABEL:preset=study."""
    jobs: int = option(1, low=1, high=64)
    """Cells at once; they share the processor, so that seconds mean less."""
    out: str = option("segmint-comparison", aliases=("output",))
    """Folder for the cells, the table and the report."""
    overwrite: bool = option(False)
    """Run all cells again; without it those that are finished are kept."""
    json: bool = option(False)
    """Print the table as JSON."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """Compare recipes, or label-free methods, fairly: mean and deviation over seeds, one table.

ARM is a recipe, a method or 'blank', LABEL=NAME to have one twice, or a group: study (unet unet-rmi
mutual), label-free (blank felzenszwalb slic kmeans em-gmm em-svgmm clustering hybrid), mixtures
(ten rows on prepared MyoPS). A name of both is the method; recipe:NAME is the recipe.

All recipes get the data, transform, optimizer and training options of the first, with --set on top;
what differs is listed. Each arm with each seed is a cell with a folder of its own. What was cut off
goes on with the same command, and a cell that fails does not stop the others.

Examples: 'segmint compare study --data CamVid --dataset camvid --budget-minutes 15', 'segmint
compare unet wide=unet --data scans --epochs 50 --set wide:features=64', 'segmint compare label-free
--data BSDS500 --dataset bsds500'.

Args:
    arms: recipes, methods or groups.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command; the arguments are told with the table, to do it once more."""
    line = shlex.join(
        ["segmint", "compare", *(word for word in arguments if word != "--overwrite")]
    )

    def compare(*arms: str, chosen: Mapping[str, Any], how: Mapping[str, Any]) -> int:
        return _compare(arms, CompareOptions(**chosen), RunOptions(**how), line)

    return signature(
        compare,
        summary=_HELP,
        chosen=("Comparison", CompareOptions),
        how=("Arithmetic", RunOptions),
    )


def _compare(arms: Sequence[str], options: CompareOptions, how: RunOptions, line: str) -> int:
    from segmint.comparisons.planning import plan

    comparison = plan(_question(arms, options, how, line))
    from segmint.cli.compare_progress import CompareProgress
    from segmint.comparisons.conducting import conduct

    if not options.quiet:
        for note in comparison.notes:
            console.say(f"note: {note}")
    progress = CompareProgress(comparison, quiet=options.quiet)

    def after(result: CellResult) -> None:
        progress.after(result)
        _write_so_far(comparison, progress.results)

    try:
        results = conduct(
            comparison,
            overwrite=options.overwrite,
            jobs=options.jobs,
            begin=progress.begin,
            after=after,
            progress=progress.tell,
        )
    except KeyboardInterrupt:
        again = " without --overwrite" if options.overwrite else ""
        raise KeyboardInterrupt(
            f"stopped: what is finished is kept in {options.out}; the same command{again} goes on"
        ) from None
    return _finish(comparison, results, options)


def _question(arms: Sequence[str], options: CompareOptions, how: RunOptions, line: str) -> Question:
    from segmint.comparisons.budget import Budget
    from segmint.comparisons.planning import Question
    from segmint.recipes.settings import assignments

    if not arms or options.data is None:
        what = "arms to compare" if not arms else "--data"
        raise UsageError(
            f"compare needs {what}, like 'segmint compare study --data CamVid'; 'segmint compare "
            "--help' shows all options"
        )
    return Question(
        arms=arms,
        data=options.data,
        out=options.out,
        dataset=options.dataset,
        seeds=options.seeds,
        first_seed=how.seed,
        budget=Budget(minutes=options.budget_minutes, epochs=options.epochs, steps=options.steps),
        split=options.split,
        images=options.images,
        values=assignments(options.set),
        device=how.device,
        precision=how.precision,
        threads=how.threads,
        jobs=options.jobs,
        command=line,
    )


def _write_so_far(comparison: Comparison, results: Sequence[CellResult]) -> None:
    """Write what is known after a cell, to look at while the others run."""
    from segmint.comparisons.tabulation import tabulate
    from segmint.reports.comparison_report import write_comparison

    write_comparison(tabulate(comparison, results), [], comparison.out)


def _finish(comparison: Comparison, results: Sequence[CellResult], options: CompareOptions) -> int:
    from segmint.comparisons.tabulation import tabulate
    from segmint.reports.comparison_examples import gather_examples
    from segmint.reports.comparison_report import write_comparison
    from segmint.reports.comparison_text import comparison_text

    table = tabulate(comparison, results)
    examples = []
    try:
        examples = gather_examples(comparison, table, results)
    except InputError as error:
        console.say(f"note: the report has no pictures ({error})")
    written = write_comparison(table, examples, comparison.out)
    if options.json:
        console.result(written.data.read_text(encoding="utf-8").rstrip())
    else:
        console.result(comparison_text(table))
        console.result()
        console.result(_last_line(results, written.page))
    return 1 if any(result.failed for result in results) else 0


def _last_line(results: Sequence[CellResult], page: Path) -> str:
    failed = sum(result.failed for result in results)
    told = console.counted(len(results), "cell")
    if failed:
        told += f", {failed} of them failed (the same command tries them again)"
    return f"{told}: results in {page.parent}, report in {page}"
