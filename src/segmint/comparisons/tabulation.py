"""From cells to a table: a row for each arm and network, with what the seeds gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from segmint.comparisons.arm import BLANK
from segmint.comparisons.cell import WHOLE, Answer, CellResult
from segmint.comparisons.columns import MATCHED, MATCHED_NOTE
from segmint.comparisons.measured_row import MeasuredRow
from segmint.comparisons.pairing import pair_rows
from segmint.comparisons.plan import Comparison
from segmint.comparisons.published import (
    ZHAO_NOTE,
    PublishedFigures,
    published_for,
    sources_of,
)
from segmint.comparisons.table import Column, ComparisonTable, Spread, TableRow
from segmint.runs import versions

CONTROLS = (BLANK, "felzenszwalb")
"""Arms without which a label-free score cannot be judged."""

MOST_CLASS_COLUMNS = 8
"""Classes of a mixture that have columns of their own; more are left to the table of classes."""

_CLASS = "dice_"
"""Before the name of a class in the name of its column."""

_MEAN = "mean_dice"
"""Begins the names of the columns that classes stand behind."""


def tabulate(comparison: Comparison, results: Iterable[CellResult]) -> ComparisonTable:
    """The table of what has run so far.

    Args:
        comparison: what was asked for.
        results: of its cells in any order, those that failed included; cells of other arms or
            seeds are left out.

    Returns:
        Arms in their order, each with a row for every network that answers. An arm without a
        result has a row without scores.
    """
    cells = {(arm.label, seed) for arm, seed in comparison.cells}
    known = {(each.label, each.seed): each for each in results if (each.label, each.seed) in cells}
    ordered = [
        known[arm.label, seed] for arm, seed in comparison.cells if (arm.label, seed) in known
    ]
    figures = _published(comparison)
    measured = [
        _measured(comparison, label, answer, ordered, figures.get((label, answer)))
        for label, answer in _answers(comparison, ordered)
    ]
    columns = _columns(comparison, [each.row for each in measured])
    shown = [figures[each.row.label, each.row.answer] for each in measured if each.row.published]
    return ComparisonTable(
        dataset=comparison.dataset,
        split=comparison.split,
        root=str(comparison.root),
        n_images=len(comparison.images),
        is_full=comparison.is_full,
        seeds=comparison.seeds,
        columns=columns,
        class_score=_class_score(comparison),
        rows=tuple(each.row for each in measured),
        pairings=pair_rows(measured, columns[0]),
        same=comparison.same,
        differences=comparison.differences,
        failures=tuple(each for each in ordered if each.failed),
        missing=tuple(
            f"{arm.label}, seed {seed}"
            for arm, seed in comparison.cells
            if (arm.label, seed) not in known
        ),
        notes=tuple(dict.fromkeys(_notes(comparison, [each.row for each in measured]))),
        published_source=sources_of(shown),
        command=comparison.command,
        machine=comparison.machine,
        versions=versions(),
        seconds=sum(
            each.seconds + each.seconds_per_image * len(comparison.images) for each in ordered
        ),
    )


def _answers(comparison: Comparison, results: Sequence[CellResult]) -> Iterator[tuple[str, str]]:
    """Label and answer of every row."""
    for arm in comparison.arms:
        own = (each for each in results if each.label == arm.label)
        yield from (
            (arm.label, answer)
            for answer in dict.fromkeys(name for each in own for name in each.answers) or (WHOLE,)
        )


def _measured(
    comparison: Comparison,
    label: str,
    answer: str,
    results: Sequence[CellResult],
    figures: PublishedFigures | None,
) -> MeasuredRow:
    cells = [each for each in results if each.label == label and answer in each.answers]
    answers = [each.answers[answer] for each in cells]
    names = [column.name for column in comparison.columns]
    scores = {
        name: Spread(tuple(each.scores.get(name) for each in answers))
        for name in names
        if any(each.scores.get(name) is not None for each in answers)
    }
    classes = _class_spreads(answers, _class_score(comparison))
    if _has_class_columns(comparison, classes):
        scores |= {f"{_CLASS}{name}": spread for name, spread in classes.items()}
    row = TableRow(
        label=label,
        answer=answer,
        seeds=tuple(each.seed for each in cells),
        scores=scores,
        classes=classes,
        seconds=Spread(tuple(each.seconds for each in cells)),
        seconds_per_image=Spread(tuple(each.seconds_per_image for each in cells)),
        peak_mib=Spread(tuple(each.peak_mib for each in cells)),
        steps=Spread(tuple(float(each.steps) for each in cells)),
        published={}
        if figures is None
        else {name: value for name, value in figures.scores.items() if name in names},
    )
    return MeasuredRow(
        row=row, answers={cell.seed: each for cell, each in zip(cells, answers, strict=True)}
    )


def _class_spreads(answers: Sequence[Answer], score: Literal["iou", "dice"]) -> dict[str, Spread]:
    names = dict.fromkeys(name for each in answers for name in each.classes)
    return {
        name: Spread(tuple(each.classes.get(name, {}).get(score) for each in answers))
        for name in names
    }


def _class_score(comparison: Comparison) -> Literal["iou", "dice"]:
    return "dice" if comparison.scoring == "mixtures" else "iou"


def _has_class_columns(comparison: Comparison, classes: Mapping[str, Spread]) -> bool:
    """Whether the Dice of each class stands in the table itself, as mixtures are reported."""
    told = any(column.name.startswith(_CLASS) for column in comparison.columns)
    return comparison.scoring == "mixtures" and not told and len(classes) <= MOST_CLASS_COLUMNS


def _columns(comparison: Comparison, rows: Sequence[TableRow]) -> tuple[Column, ...]:
    """Those that some row has; before the first result, all."""
    present = {name for row in rows for name, spread in row.scores.items() if spread.known}
    columns = [column for column in comparison.columns if column.name in present]
    told = {column.name for column in comparison.columns}
    classes = [
        Column(name=name, title=f"Dice {name.removeprefix(_CLASS)}")
        for name in dict.fromkeys(name for row in rows for name in row.scores)
        if name not in told
    ]
    means = sum(column.name.startswith(_MEAN) for column in columns)
    return (*columns[:means], *classes, *columns[means:]) or comparison.columns


def _published(comparison: Comparison) -> dict[tuple[str, str], PublishedFigures]:
    """By label and answer; none unless the data are the full ones."""
    if not comparison.is_full:
        return {}
    return {
        (arm.label, answer): figures
        for arm in comparison.arms
        for answer, figures in published_for(
            arm,
            comparison.settings.get(arm.label, {}),
            dataset=comparison.dataset,
            split=comparison.split,
        ).items()
    }


def _notes(comparison: Comparison, rows: Sequence[TableRow]) -> Iterator[str]:
    yield from map(_sentence, comparison.notes)
    yield from _seed_notes(comparison, rows)
    yield from _cost_notes(rows)
    if comparison.scoring == "segments":
        if any(column in MATCHED for column in comparison.columns):
            yield MATCHED_NOTE
        there = {arm.name for arm in comparison.arms}
        for name in CONTROLS:
            if name not in there:
                yield f"There is no row {name}, beside which label-free scores are to be judged."
    steps = {row.label: row.steps.mean or 0.0 for row in rows if row.seeds}
    learned = {label: count for label, count in steps.items() if count}
    if len(set(learned.values())) > 1:
        told = ", ".join(f"{label} {count:,.0f}" for label, count in learned.items())
        yield f"Arms took different numbers of steps in what they were given: {told}."
    names = {arm.name for arm in comparison.arms}
    full_voc = comparison.is_full and comparison.dataset == "voc2012"
    if full_voc and comparison.split == "val" and "unet-rmi" in names:
        yield ZHAO_NOTE


def _cost_notes(rows: Sequence[TableRow]) -> Iterator[str]:
    """Which arms have several networks, of which costs cannot be told apart."""
    labels = [row.label for row in rows]
    several = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if several:
        yield (
            f"The networks of {_joined(several)} are computed together: seconds and memory are of "
            "all of them."
        )


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _seed_notes(comparison: Comparison, rows: Sequence[TableRow]) -> Iterator[str]:
    """What the number of seeds allows to say."""
    asked = len(comparison.seeds)
    if asked == 1:
        yield "One seed was asked for, so that deviations and tests over seeds are not available."
    counts = {row.label: len(row.seeds) for row in rows if row.seeds}
    if any(count < asked for count in counts.values()):
        told = ", ".join(f"{label} has {count}" for label, count in counts.items())
        yield f"Of {asked} seeds {told}."
    alike = [row.title for row in rows if len(row.seeds) > 1 and _is_alike(row)]
    if alike:
        verb = "gives" if len(alike) == 1 else "give"
        yield f"{', '.join(alike)} {verb} the same scores with every seed."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else text


def _is_alike(row: TableRow) -> bool:
    return bool(row.scores) and all(len(set(spread.values)) == 1 for spread in row.scores.values())
