"""The report of a run: one HTML file, and one picture for a talk.

write_run_report(Run("run")).page
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from segmint.datasets import Dataset
from segmint.errors import InputError, SegmintError, UsageError
from segmint.recipes.run import Run
from segmint.recipes.run_folder import REPORT
from segmint.recipes.scoring import RunScores, image_of, score_peers, score_run
from segmint.recipes.splits import open_again
from segmint.reports.data_survey import Survey, survey
from segmint.reports.example_sheet import write_example_sheet
from segmint.reports.page import write_page
from segmint.reports.run_examples import gather_examples
from segmint.reports.run_findings import Findings
from segmint.reports.run_page import run_page
from segmint.reports.run_split import report_dataset
from segmint.reports.run_standing import FINISHED, Standing
from segmint.reports.run_uncertainty import PROTOCOL

EXAMPLES = "examples.png"
"""The picture, in the folder of the run."""

MOST_EXAMPLES = 24

USUAL_EXAMPLES = 9
"""An odd number, so that the median is among them."""

SOON, SOON_SHARE = 5.0, 0.03
"""Seconds, or a share of the training, that scoring a split may take at the end of a training."""

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
    examples: int = USUAL_EXAMPLES,
    out: str | Path | None = None,
    advance: Callable[[str], None] | None = None,
    standing: Standing = FINISHED,
    looked: Survey | None = None,
) -> RunReport:
    """Predict a split, score it, and show it all with how the run learned.

    Examples lie at equal steps of rank from the best image to the worst, by the mean IoU of each,
    so that both are among them. Every image is predicted once, and the examples once more.

    Args:
        run: of any recipe; one that learned without masks gets a page of curves and facts.
        data: root of the data set, or a split of it; None is where it was when the run learned.
            Where it is no longer there, the page has neither pictures nor scores.
        split: which; None is the one that chose the network, or else one that it did not see.
        examples: how many images are shown at most, 0 to 24.
        out: the page; None is ``report.html`` in the folder of the run. The picture lies beside
            it: ``examples.png`` in that folder, else the name of the page with ``.png``.
        advance: called with the name of each image that is done.
        standing: what the page says where the run has not ended.
        looked: at what it learned from, where that was done before.

    Raises:
        InputError: for data that was given and cannot be used, or an image that cannot be read.
        UsageError: for an unknown split, data for a run that learned without masks, or a number of
            examples out of range.
        OutputError: when a file cannot be written.
    """
    if not 0 <= examples <= MOST_EXAMPLES:
        raise UsageError(f"examples is {examples}, accepted is 0 to {MOST_EXAMPLES}")
    dataset, note = (data, "") if isinstance(data, Dataset) else report_dataset(run, data, split)
    looked = looked or _survey(run)
    if dataset is None:
        return _write(Findings(run=run, note=note, survey=looked, standing=standing), out)
    scores, peers = _scored(run, dataset, advance)
    shown = gather_examples(run, dataset, examples, scores=scores, disagreement=bool(run.peers))
    found = Findings(
        run=run,
        dataset=dataset,
        scores=scores,
        peers=peers,
        examples=tuple(shown),
        survey=looked,
        standing=standing,
    )
    return _write(found, out)


def write_training_report(run: Run, *, looked: Survey | None = None) -> Path:
    """The report that a training ends with, at a price that is small beside that of the training.

    Where all images of the split that chose the network are soon predicted, it is the one of
    :func:`write_run_report`. Else it shows the scores that the training wrote down, and images at
    equal steps in that split, which are neither ranked nor scored.

    Args:
        run: that has just ended.
        looked: at what it learned from, where that was done before.

    Returns:
        The page, in the folder of the run.

    Raises:
        OutputError: when a file cannot be written.
    """
    dataset, note = report_dataset(run)
    found = Findings(run=run, note=note, survey=looked or _survey(run))
    if dataset is not None:
        try:
            if _is_soon_scored(run, dataset):
                return write_run_report(run, data=dataset, looked=found.survey).page
            shown = tuple(gather_examples(run, dataset, QUICK_EXAMPLES))
            found = replace(found, dataset=dataset, examples=shown)
        except InputError as error:
            found = replace(found, note=f"There are no pictures: {error}.")
    return _write(found, None).page


def _is_soon_scored(run: Run, dataset: Dataset) -> bool:
    """Whether predicting every image, measured on the first, is a small part of the training."""
    start = time.perf_counter()
    first = dataset[0]
    run.answers(image_of(first, dataset), region=first.region)
    expected = (time.perf_counter() - start) * (len(dataset) + USUAL_EXAMPLES)
    return expected <= max(SOON, SOON_SHARE * float(run.record.get("seconds", 0)))


def _survey(run: Run) -> Survey | None:
    """A look at what a run learned from, where that is still there."""
    told = run.record.get("dataset")
    if not isinstance(told, dict):
        return None
    try:
        return survey(open_again(run, split=told["train_split"]))
    except SegmintError:
        return None


def _scored(
    run: Run, dataset: Dataset, advance: Callable[[str], None] | None
) -> tuple[RunScores, dict[str, RunScores] | None]:
    """Scores of what the run answers with, and where it has peers those of each."""
    field = [name for name in dataset.protocols if name != PROTOCOL]
    if run.peer is None:
        return score_run(run, dataset, protocols=(*field, PROTOCOL), advance=advance), None
    peers = score_peers(run, dataset, protocols=field, advance=advance)
    return peers[run.peer], peers


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
