"""What the page of a run says, section by section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from segmint import __version__
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores
from segmint.reports.class_legend import class_entries
from segmint.reports.confusion_picture import MOST_CLASSES, draw_confusion
from segmint.reports.example_figures import example_figures, example_scales
from segmint.reports.page import Command, Figure, Page, Panel, Section
from segmint.reports.peer_section import peer_section
from segmint.reports.pictures import embed
from segmint.reports.run_asked import asked_section
from segmint.reports.run_curves import learning_charts
from segmint.reports.run_data import data_section
from segmint.reports.run_facts import (
    asked_facts,
    course_facts,
    duration,
    run_commands,
    time_facts,
    unfinished_commands,
)
from segmint.reports.run_findings import Findings, told_mean_iou
from segmint.reports.run_scores import class_bars, class_table, field_tables, image_table
from segmint.reports.run_split import has_test, split_notes
from segmint.reports.run_uncertainty import uncertainty_section
from segmint.reports.shell import shell_line
from segmint.reports.unfinished_run import UnfinishedRun

_CONFUSION_SIDE = 900
_CONFUSION_SCALE = 2 / 3
"""Of its pixels to those of the page, so that letters are sharp and of the size of others."""


def run_page(findings: Findings, picture: Path | None) -> Page:
    """The page.

    Args:
        findings: what it shows.
        picture: the sheet of the examples, where there is one.
    """
    record = findings.run.record
    name = record["recipe"]
    if isinstance(record.get("dataset"), dict):
        name = f"{name} on {record['dataset']['name']}"
    return Page(
        title=name,
        lead=_lead(findings),
        highlights=tuple(_highlights(findings)),
        sections=tuple(_sections(findings, picture)),
        footer=f"segmint {__version__}. Run in {findings.run.folder}.",
        notice=findings.standing.notice,
        late=findings.standing.late,
        refresh=findings.standing.refresh,
    )


def _sections(findings: Findings, picture: Path | None) -> Iterator[Section]:
    run, record = findings.run, findings.run.record
    yield asked_section(record, run.folder, asked_facts(run, findings.parameters))
    yield findings.data or data_section(record, findings.survey)
    yield _learned_section(findings)
    if run.peers:
        yield _peers_section(findings)
    if findings.scores is not None:
        yield _scores_section(findings, findings.scores)
        if findings.has_scores:
            yield _confusion_section(findings.scores)
    if findings.examples:
        yield _examples_section(findings, picture)
    unsure = uncertainty_section(findings.scores, findings.examples)
    if unsure is not None:
        yield unsure
    yield Section(
        title="Time and versions", facts={**_times(findings), **record.get("versions", {})}
    )
    yield Section(title="How to go on", commands=_commands(findings))


def _lead(findings: Findings) -> str:
    scores, dataset = findings.scores, findings.dataset
    if scores is None or dataset is None or not findings.has_scores:
        summary = str(findings.run.record.get("summary", "")) or _so_far(findings.run)
        return f"{summary[:1].upper()}{summary[1:]}." if summary else ""
    said = told_mean_iou(scores)
    return (
        f"{said[0].upper()}{said[1:]}, accuracy {scores.confusion.accuracy:.3f}, on "
        f"{len(dataset):,} images of {dataset.name} {dataset.split}"
        f"{f', by {findings.owner}' if findings.owner else ''}."
    )


def _highlights(findings: Findings) -> Iterator[tuple[str, str]]:
    """The numbers that a reader looks for first."""
    scores, record = findings.scores, findings.run.record
    if scores is not None and findings.has_scores:
        yield f"{scores.confusion.mean_iou:.3f}", "mean IoU"
        yield f"{scores.confusion.accuracy:.3f}", "accuracy"
    elif (record.get("best") or {}).get("score") is not None:
        yield f"{record['best']['score']:.3f}", "validation mean IoU"
    if isinstance(record.get("dataset"), dict):
        yield f"{record['dataset']['train_images']:,}", "training images"
    if findings.parameters:
        yield f"{sum(findings.parameters.values()):,}", "parameters"
    if "seconds" in record:
        yield duration(record["seconds"]), "of training"


def _so_far(run: Run) -> str:
    """The best score of a run that has not ended."""
    best = run.record.get("best") or {}
    if best.get("score") is None:
        return ""
    return f"validation mean IoU {best['score']:.3f} so far, in epoch {best['epoch']}"


def _learned_section(findings: Findings) -> Section:
    """How it learned, and why it cannot be shown what it learned, where that is so."""
    record = findings.run.record
    return Section(
        title="How it learned",
        text=(findings.note,) if findings.note else (),
        charts=learning_charts(record.get("history", ())),
        facts=course_facts(record),
    )


def _times(findings: Findings) -> dict[str, str]:
    record, scores = findings.run.record, findings.scores
    if scores is None:
        known = [each.seconds for each in findings.examples if each.seconds is not None]
        return time_facts(record, known)
    facts = time_facts(record, [scores.seconds])
    if findings.peers is not None:
        facts["prediction"] += ", for all networks together"
    return facts


def _peers_section(findings: Findings) -> Section:
    place = "the validation, of each at its own best epoch"
    dataset = findings.dataset
    if findings.peers is not None and dataset is not None:
        place = f"the {len(dataset):,} images of {dataset.name} {dataset.split}"
    return peer_section(findings.run.record, findings.each_peer, findings.parameters, place=place)


def _examples_section(findings: Findings, picture: Path | None) -> Section:
    dataset = findings.dataset
    assert dataset is not None
    shown = [each.labels for each in findings.examples]
    shown += [each.truth for each in findings.examples if each.truth is not None]
    where = () if picture is None else (f"All of them are in {picture}, for a talk or a paper.",)
    return Section(
        title="Examples",
        text=(f"{findings.choice} {findings.whose}".strip(), *where),
        legend=tuple(class_entries(shown, dataset.classes, dataset.palette)),
        scales=example_scales(findings.examples, len(dataset.classes)),
        figures=example_figures(findings.examples, dataset.palette),
    )


def _scores_section(findings: Findings, scores: RunScores) -> Section:
    dataset = findings.dataset
    assert dataset is not None
    if not findings.has_scores:
        return Section(
            title="Scores",
            text=(f"No pixel of {dataset.name} {dataset.split} has a label, so there are none.",),
        )
    images = image_table(scores, [pair.name for pair in dataset.pairs])
    return Section(
        title="Scores",
        text=(*_whose(findings), *split_notes(findings.run, dataset)),
        bars=(class_bars(scores, dataset.palette),),
        tables=(class_table(scores), *field_tables(scores), *(() if images is None else (images,))),
    )


def _whose(findings: Findings) -> tuple[str, ...]:
    return (f"Of {findings.owner}.",) if findings.owner else ()


def _confusion_section(scores: RunScores) -> Section:
    more = scores.confusion.classes_counted - MOST_CLASSES
    left_out = f" The {more} classes with the fewest pixels are left out." if more > 0 else ""
    drawn = embed(
        draw_confusion(scores.confusion, scores.classes), longest_side=_CONFUSION_SIDE, exact=True
    )
    size = {side: round(getattr(drawn, side) * _CONFUSION_SCALE) for side in ("width", "height")}
    panel = Panel(
        picture=replace(drawn, **size),
        alt="Confusion matrix: of each true class the share of its pixels that was predicted as "
        "each class.",
    )
    caption = (
        "Percent of the pixels of each true class; a cell with less than half a percent is blank."
    )
    return Section(
        title="What is taken for what",
        figures=(Figure(panels=(panel,), caption=caption + left_out),),
    )


def _commands(findings: Findings) -> tuple[Command, ...]:
    """Those of the run; and where scores are missing, the one that adds them."""
    run, dataset = findings.run, findings.dataset
    if isinstance(run, UnfinishedRun):
        return unfinished_commands(run)
    told = run.record.get("dataset")
    away = isinstance(told, dict) and dataset is not None and str(dataset.root) != told["root"]
    commands = run_commands(run, dataset.root if away and dataset is not None else None)
    if dataset is None:
        return commands
    first = []
    if findings.scores is None:
        line = shell_line(["report", run.folder])
        purpose = "This page with the scores of every class and image:"
        first.append(Command(line=line, purpose=purpose))
    if has_test(run, dataset):
        line = shell_line(["report", run.folder, "--split", "test"])
        first.append(Command(line=line, purpose="This page on images that decided nothing:"))
    return (*first, *commands)
