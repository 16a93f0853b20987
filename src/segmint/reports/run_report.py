"""The report of a run: one HTML file, and one picture for a talk.

write_run_report(Run("run")).page
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.datasets import Dataset
from segmint.errors import UsageError
from segmint.recipes.run import Run
from segmint.recipes.run_folder import REPORT
from segmint.recipes.scoring import RunScores, score_peers, score_run
from segmint.reports.example_sheet import write_example_sheet
from segmint.reports.page import write_page
from segmint.reports.run_examples import KeptPredictions, gather_examples
from segmint.reports.run_page import Findings, run_page
from segmint.reports.run_split import report_dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXAMPLES = "examples.png"
"""The picture, in the folder of the run."""

MOST_EXAMPLES = 24

QUICK_EXAMPLES = 4
"""Images of the report that a training ends with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunReport:
    """What was written, and what it shows."""

    page: Path
    picture: Path | None
    """Image, truth and prediction of the examples; None where there are none."""
    dataset: Dataset | None
    """The split that is shown; None where it cannot be."""
    scores: RunScores | None
    """Of all its images."""
    peers: Mapping[str, RunScores] | None = None
    """The same of every peer and ensemble by name, where the run has several."""
    note: str = ""
    """Why there are no pictures and no scores, where there are none."""


def write_run_report(
    run: Run,
    *,
    data: str | Path | Dataset | None = None,
    split: str | None = None,
    examples: int = 8,
    out: str | Path | None = None,
    advance: Callable[[str], None] | None = None,
) -> RunReport:
    """Predict a split, score it, and show it all with how the run learned.

    Examples lie at equal steps of rank from the best image to the worst, by the mean IoU of each,
    so that both are among them. Every image is predicted once.

    Args:
        run: of any recipe; one that learned without masks gets a page of curves and facts.
        data: root of the data set, or a split of it; None is where it was when the run learned.
            Where it is no longer there, the page has neither pictures nor scores.
        split: which; None is the one that chose the network, or else one that it did not see.
        examples: how many images are shown at most, 0 to 24.
        out: the page; None is ``report.html`` in the folder of the run. The picture lies beside
            it: ``examples.png`` in that folder, else the name of the page with ``.png``.
        advance: called with the name of each image that is done.

    Raises:
        InputError: for data that was given and cannot be used, or an image that cannot be read.
        UsageError: for an unknown split, data for a run that learned without masks, or a number of
            examples out of range.
        OutputError: when a file cannot be written.
    """
    if not 0 <= examples <= MOST_EXAMPLES:
        raise UsageError(f"examples is {examples}, accepted is 0 to {MOST_EXAMPLES}")
    dataset, note = (data, "") if isinstance(data, Dataset) else report_dataset(run, data, split)
    if dataset is None:
        return _write(Findings(run=run, note=note), out)
    kept = KeptPredictions() if examples else None
    scores, peers = _scored(run, dataset, advance, kept)
    shown = tuple(gather_examples(run, dataset, examples, scores=scores, kept=kept))
    found = Findings(run=run, dataset=dataset, scores=scores, peers=peers, examples=shown)
    return _write(found, out)


def write_training_report(run: Run) -> Path:
    """The report that a training ends with, at the price of a few predictions.

    It shows the scores that the training wrote down, and images at equal steps in the split that
    chose the network; those are neither ranked nor scored.

    Args:
        run: that has just ended.

    Returns:
        The page, in the folder of the run.

    Raises:
        InputError: when an image cannot be read.
        OutputError: when a file cannot be written.
    """
    dataset, note = report_dataset(run)
    if dataset is None:
        return _write(Findings(run=run, note=note), None).page
    shown = tuple(gather_examples(run, dataset, QUICK_EXAMPLES))
    return _write(Findings(run=run, dataset=dataset, examples=shown), None).page


def _scored(
    run: Run,
    dataset: Dataset,
    advance: Callable[[str], None] | None,
    kept: KeptPredictions | None,
) -> tuple[RunScores, dict[str, RunScores] | None]:
    """Scores of what the run answers with, and where it has peers those of each."""
    asked = run.peer
    if asked is None:
        keep = None if kept is None else kept.keep
        return score_run(run, dataset, advance=advance, keep=keep), None

    def keep_asked(index: int, labels: dict[str, NDArray[np.int32]]) -> None:
        if kept is not None:
            kept.keep(index, labels[asked])

    peers = score_peers(run, dataset, advance=advance, keep=keep_asked)
    return peers[asked], peers


def _write(findings: Findings, out: str | Path | None) -> RunReport:
    """Write the picture, and then the page."""
    folder = findings.run.folder
    page = folder / REPORT if out is None else Path(out)
    picture = None
    if findings.dataset is not None and findings.examples:
        picture = folder / EXAMPLES if out is None else page.with_suffix(".png")
        write_example_sheet(
            picture,
            findings.examples,
            findings.dataset.classes,
            findings.dataset.palette,
            title=findings.title,
            note=f"{findings.choice}\n{findings.whose}",
        )
    return RunReport(
        page=write_page(page, run_page(findings, picture)),
        picture=picture,
        dataset=findings.dataset,
        scores=findings.scores,
        peers=findings.peers,
        note=findings.note,
    )
