"""``segmint report``: the page and the picture of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.console import counted
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature
from segmint.devices import use_threads
from segmint.errors import InputError, SegmintError, UsageError
from segmint.options import Options, option
from segmint.recipes.run_folder import is_unfinished

if TYPE_CHECKING:
    from segmint.recipes.run import Run
    from segmint.reports.run_report import RunReport
    from segmint.reports.run_standing import Standing

_PAGES = (".html", ".htm")


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """What the report shows, and where it goes."""

    split: str | None = option(None)
    """Split of the data set; if not given the one that chose the network."""
    peer: str | None = option(None)
    """Whose predictions are shown, of a run of mutual; if not given those of the best by
    validation."""
    examples: int = option(9, low=0, high=24)
    """Images shown at most, at equal steps from the best to the worst."""
    out: str | None = option(None, aliases=("output",))
    """File for the page, with its picture beside it as .png; if not given report.html and
    examples.png in RUN, which are made anew each time."""
    overwrite: bool = option(False)
    """Write over the file of --out if it is there, or over a report with pictures where the data
    are gone."""
    json: bool = option(False)
    """Print where the report is and its scores as JSON."""
    quiet: bool = option(False)
    """Print no progress."""


_HELP = """Show a run on one page, and in one picture for a talk.

The page has what was asked, the data and its classes, the curves of the training, the scores of
every class, which class is taken for which, the best, median and worst images (truth against
prediction with an edge that moves, mistakes, and where the network is unsure), times, versions, and
the commands that do it once more. The picture has the examples alone. A run that is not finished
gets a page, too, marked so; a folder of 'segmint compare' gets its tables and its page again.

Examples: 'segmint report run', 'segmint report run --split test --out talk/cells.html'.

Args:
    run: folder that 'segmint train' or 'segmint compare' wrote.
    data: root of the data set; if not given where it was when the run learned.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def report(
        run: str,
        data: str | None = None,
        /,
        *,
        chosen: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        return _report(Path(run), data, ReportOptions(**chosen), RunOptions(**how))

    return signature(
        report,
        summary=_HELP,
        chosen=("Report", ReportOptions),
        how=("Arithmetic", RunOptions),
    )


def _report(folder: Path, data: str | None, options: ReportOptions, how: RunOptions) -> int:
    from segmint.reports.comparison_storage import is_comparison
    from segmint.reports.run_report import write_run_report
    from segmint.reports.run_split import report_dataset

    use_threads(how.threads)
    if is_comparison(folder):
        return _compared(folder, data, options)
    _check_out(options.out, overwrite=options.overwrite)
    run, standing = _opened(folder, options, how)
    dataset, note = report_dataset(run, data, options.split)
    if dataset is None:
        _check_kept(folder, note, options)
    images = 0 if dataset is None else len(dataset)
    try:
        with console.progress(images, quiet=options.quiet or not images) as advance:
            found = write_run_report(
                run,
                data=data if dataset is None else dataset,
                split=options.split,
                examples=options.examples,
                out=options.out,
                advance=advance,
                standing=standing,
            )
    except KeyboardInterrupt:
        raise SegmintError(
            "stopped: an earlier report, if there is one, stays as it was; run the same command "
            "again"
        ) from None
    if found.note and not options.quiet:
        console.say(found.note)
    if options.json:
        console.result_json(_facts(folder, found))
    else:
        console.result(_told(found))
    return 0


def _compared(folder: Path, data: str | None, options: ReportOptions) -> int:
    """Write the tables, the figure and the page of a comparison again."""
    from segmint.reports.comparison_again import write_again

    usual = ReportOptions(json=options.json, quiet=options.quiet, overwrite=options.overwrite)
    if data or options != usual:
        raise UsageError(
            f"{folder} is a comparison, whose report has its own data, images and place: leave out "
            "DATA, --split, --peer, --examples and --out"
        )
    files = write_again(folder)
    if options.json:
        console.result_json({"comparison": str(folder), "report": str(files.page)})
    else:
        console.result(f"report in {files.page}")
    return 0


def _opened(folder: Path, options: ReportOptions, how: RunOptions) -> tuple[Run, Standing]:
    """The run, finished or not, and what its page says of that."""
    from segmint.recipes.run import Run
    from segmint.reports.run_standing import FINISHED, interrupted
    from segmint.reports.unfinished_prediction import add_prediction
    from segmint.reports.unfinished_run import UnfinishedRun

    if not is_unfinished(folder):
        run = Run(folder, device=how.device, precision=how.precision, peer=options.peer)
        return run, FINISHED
    if options.peer is not None:
        raise UsageError(
            f"{folder} is not finished, so that its peers cannot be asked yet: leave out --peer"
        )
    unfinished = UnfinishedRun(folder)
    add_prediction(unfinished, device=how.device, precision=how.precision)
    return unfinished, interrupted(unfinished)


def _check_out(out: str | None, *, overwrite: bool) -> None:
    """Refuse a file that cannot take the page before images are predicted."""
    if out is None:
        return
    page = Path(out)
    if page.is_dir() or page.suffix.lower() not in _PAGES:
        raise UsageError(f"--out is {out}, accepted is a file ending in .html: name one")
    taken = [path for path in (page, page.with_suffix(".png")) if path.exists()]
    if taken and not overwrite:
        raise UsageError(f"{taken[0]} is there already: pass --overwrite or another --out")


def _check_kept(folder: Path, note: str, options: ReportOptions) -> None:
    """Refuse to write a page without pictures over one that has them."""
    from segmint.recipes.run_folder import REPORT
    from segmint.reports.run_report import EXAMPLES

    both = all((folder / name).exists() for name in (REPORT, EXAMPLES))
    if both and options.out is None and not options.overwrite:
        why = note.rstrip(".")
        raise InputError(
            f"{folder / REPORT} has pictures and is kept, for now {why}; "
            "give DATA, or another file with --out, or pass --overwrite"
        )


def _told(found: RunReport) -> str:
    picture = "" if found.picture is None else f", picture in {found.picture}"
    if found.scores is None or found.dataset is None:
        return f"report in {found.page}{picture}"
    score = found.scores.means()["mean_iou"]
    said = "no labelled pixel" if score is None else f"mean IoU {score:.4f}"
    images = counted(len(found.dataset), "image")
    return (
        f"{said} on {images} of {found.dataset.name} {found.dataset.split}: report in "
        f"{found.page}{picture}"
    )


def _facts(folder: Path, found: RunReport) -> dict[str, Any]:
    dataset, scores = found.dataset, found.scores
    return {
        "run": str(folder),
        "report": str(found.page),
        "picture": None if found.picture is None else str(found.picture),
        "data": None if dataset is None else str(dataset.root),
        "dataset": None if dataset is None else dataset.name,
        "split": None if dataset is None else dataset.split,
        "n_images": 0 if dataset is None else len(dataset),
        "scores": None if scores is None else scores.means(),
        "peers": {name: each.means() for name, each in (found.peers or {}).items()},
        "note": found.note,
    }
