"""Images that show what a comparison found: the best, the median and the worst, by rule."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segmint.comparisons.cell import CellResult
from segmint.comparisons.plan import Comparison
from segmint.comparisons.predictions import prediction, sample_of
from segmint.comparisons.table import ComparisonTable, TableRow
from segmint.comparisons.truths import truths_of
from segmint.datasets.sample import Sample
from segmint.metrics import match
from segmint.reports.class_picture import UNCOUNTED

Labels = NDArray[np.integer[Any]]
Rank = Literal["best", "median", "worst"]

MOST_ROWS = 10
"""Rows of a table whose predictions are shown; of more, the first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonExample:
    """One image, its truth, and what the rows of a table say of it."""

    name: str
    image: NDArray[Any]
    """(H, W, C) of any type."""
    truth: Labels | None
    """(H, W) classes, or segments of one annotator; negative or 255 where nothing counts."""
    predictions: Mapping[str, Labels]
    """(H, W) by the title of the row, negative outside the region."""
    scores: Mapping[str, float]
    """Main score of each of these predictions, by the title of its row."""
    rank: Rank
    mean: float | None = None
    """Main score that ranked the image, its mean over rows and seeds."""
    channel_names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Name of each class 0 to K - 1; empty where labels are components without names."""
    palette: NDArray[np.uint8] | None = None
    """(K, 3), their colors."""


@dataclass(frozen=True, kw_only=True)
class ChosenImage:
    """An image that a rule has picked."""

    name: str
    rank: Rank
    scores: Mapping[str, float]
    """Of the first seed of each row, by its title."""
    mean: float
    """Over rows and seeds, which ranked it."""


def chosen_images(
    table: ComparisonTable, results: Iterable[CellResult], *, by: str = ""
) -> list[ChosenImage]:
    """The best, the median and the worst image by the main score, its mean over rows and seeds.

    Args:
        table: whose rows are looked at.
        results: of its cells.
        by: title of the only row that ranks; empty ranks by all.

    Returns:
        Different images that every row has a score of; fewer where there are not three.
    """
    found = list(results)
    rows = [row for row in table.rows[:MOST_ROWS] if row.seeds]
    means = {row.title: _image_scores(table, row, found, row.seeds) for row in rows}
    firsts = {row.title: _image_scores(table, row, found, row.seeds[:1]) for row in rows}
    ranking = [scores for title, scores in means.items() if by in ("", title)]
    if not ranking:
        return []
    names = [name for name in ranking[0] if all(name in own for own in means.values())]
    average = {name: statistics.fmean(own[name] for own in ranking) for name in names}
    ranked = sorted(names, key=average.__getitem__, reverse=table.main.better == "higher")
    return [
        ChosenImage(
            name=name,
            rank=rank,
            scores={title: own[name] for title, own in firsts.items()},
            mean=average[name],
        )
        for rank, name in _picked(ranked).items()
    ]


def gather_examples(
    comparison: Comparison,
    table: ComparisonTable,
    results: Iterable[CellResult],
    *,
    by: str = "",
) -> list[ComparisonExample]:
    """The chosen images with their truth and what every row said of them, with its first seed.

    Args:
        comparison: whose cells have run.
        table: of it.
        results: of its cells.
        by: as :func:`chosen_images` takes it.

    Raises:
        InputError: when an image or a prediction cannot be read.
    """
    return [_example(comparison, table, chosen) for chosen in chosen_images(table, results, by=by)]


def _picked(ranked: list[str]) -> dict[Rank, str]:
    """Best, median and worst; a name that is two of them is the first."""
    if not ranked:
        return {}
    picked: dict[Rank, str] = {"best": ranked[0]}
    if len(ranked) > 2:
        picked["median"] = ranked[(len(ranked) - 1) // 2]
    if len(ranked) > 1:
        picked["worst"] = ranked[-1]
    return picked


def _image_scores(
    table: ComparisonTable, row: TableRow, results: list[CellResult], seeds: tuple[int, ...]
) -> dict[str, float]:
    """Mean over seeds of the main score of each image that has it with all of them."""
    answers = [
        each.answers[row.answer]
        for each in results
        if each.label == row.label and each.seed in seeds and row.answer in each.answers
    ]
    names = answers[0].images if answers else {}
    found = {
        name: [each.images.get(name, {}).get(table.main.name) for each in answers] for name in names
    }
    return {
        name: statistics.fmean(value for value in values if value is not None)
        for name, values in found.items()
        if None not in values
    }


def _example(
    comparison: Comparison, table: ComparisonTable, chosen: ChosenImage
) -> ComparisonExample:
    sample = sample_of(comparison, chosen.name)
    dataset = comparison.scored()
    named = comparison.scoring != "segments"
    predictions = {
        row.title: prediction(
            comparison, row.label, chosen.name, answer=row.answer, seed=row.seeds[0]
        )
        for row in table.rows
        if row.title in chosen.scores
    }
    if comparison.scoring == "mixtures":
        predictions = {
            title: _as_classes(labels, sample, dataset.ignore_index)
            for title, labels in predictions.items()
        }
    return ComparisonExample(
        name=chosen.name,
        image=sample.image,
        truth=_known(sample, dataset.ignore_index) if named else _finest(comparison, chosen.name),
        predictions=predictions,
        scores=chosen.scores,
        rank=chosen.rank,
        mean=chosen.mean,
        channel_names=dataset.channel_names,
        classes=dataset.classes if named else (),
        palette=dataset.palette if named else None,
    )


def _known(sample: Sample, ignore_index: int) -> Labels:
    """The mask, 255 where nothing counts."""
    uncounted = sample.mask == ignore_index
    if sample.region is not None:
        uncounted = uncounted | ~sample.region
    return np.where(uncounted, np.uint8(UNCOUNTED), sample.mask)


def _finest(comparison: Comparison, name: str) -> Labels:
    """Segments of the annotator who drew most."""
    dataset = comparison.scored()
    pair = next(pair for pair in dataset.pairs if pair.name == name)
    truths = truths_of(dataset, pair, dataset.read(pair))
    return max(truths, key=lambda truth: len(np.unique(truth)))


def _as_classes(labels: NDArray[np.int32], sample: Sample, ignore_index: int) -> NDArray[np.int32]:
    """Components as the classes that Hungarian matching gives them, as the score has it."""
    found = match(labels, sample.mask, method="hungarian", ignore_index=ignore_index)
    table = np.full(int(labels.max(initial=0)) + 2, -1, np.int32)
    for label, value in found.items():
        table[label] = value
    return np.asarray(table[labels])
