"""``segmint compare``: recipes or methods on the same data with the same budget, in one table."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.errors import InputError, OutputError, UsageError
from segmint.options import Options, option

if TYPE_CHECKING:
    from segmint.cli.compare_progress import CompareProgress
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

    progress = CompareProgress(comparison, quiet=options.quiet)

    def begin(finished: Sequence[CellResult]) -> None:
        progress.begin(finished)
        write_so_far()

    def after(result: CellResult) -> None:
        progress.after(result)
        write_so_far()

    def write_so_far() -> None:
        try:
            _write_so_far(comparison, progress.results)
        except OutputError as error:
            progress.note(str(error))

    try:
        results = conduct(
            comparison,
            overwrite=options.overwrite,
            jobs=options.jobs,
            begin=begin,
            after=after,
            progress=progress.tell,
        )
    except KeyboardInterrupt:
        again = " without --overwrite" if options.overwrite else ""
        raise KeyboardInterrupt(
            f"stopped: what is finished is kept in {options.out}; the same command{again} goes on"
        ) from None
    return _finish(comparison, results, options, progress)


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
    """Write what is known so far, to look at while cells run."""
    from segmint.comparisons.tabulation import tabulate
    from segmint.reports.comparison_report import write_comparison

    write_comparison(tabulate(comparison, results), [], comparison.out)


def _finish(
    comparison: Comparison,
    results: Sequence[CellResult],
    options: CompareOptions,
    progress: CompareProgress,
) -> int:
    """Write the report, and show the table also where the report cannot be written."""
    from segmint.comparisons.tabulation import tabulate
    from segmint.reports.comparison_examples import gather_examples
    from segmint.reports.comparison_report import write_comparison
    from segmint.reports.comparison_storage import table_data
    from segmint.reports.comparison_text import comparison_text

    table = tabulate(comparison, results)
    examples = []
    try:
        examples = gather_examples(comparison, table, results)
    except InputError as error:
        progress.note(f"the report has no pictures ({error})")
    told = _counted(results)
    unwritten = None
    try:
        written = write_comparison(table, examples, comparison.out)
        told += f": results in {written.page.parent}, report in {written.page}"
    except OutputError as error:
        unwritten = error
    if options.json:
        console.result_json(table_data(table))
    else:
        console.result(comparison_text(table, width=_terminal_width()))
        console.result()
        console.result(told)
    if unwritten is not None:
        raise unwritten
    return 1 if any(result.failed for result in results) else 0


def _terminal_width() -> int | None:
    """Letters on a line; None where no terminal shows them."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _counted(results: Sequence[CellResult]) -> str:
    failed = sum(result.failed for result in results)
    told = console.counted(len(results), "cell")
    return (
        f"{told}, {failed} of them failed (the same command tries them again)" if failed else told
    )
