"""The scores of components: by their overlap with segments, and as classes after a matching."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from segmint.comparisons.cell import Answer, Values
from segmint.comparisons.component_cell import Found
from segmint.comparisons.truths import has_annotators, truths_of
from segmint.datasets.dataset import Dataset
from segmint.metrics import Scores, ScoreTable, aggregate, evaluate
from segmint.metrics.protocol import Case
from segmint.metrics.protocol_scores import ProtocolScorer, ProtocolScores

_MATCHED = ("mean_iou", "mean_dice", "accuracy")
"""Scores of labels as classes."""


def score_segments(found: Iterable[Found], dataset: Dataset) -> Answer:
    """Scores of connected components against every annotator, and of labels as classes.

    Best overlap, covering, Rand index and variation of information are of the components of the
    labels; where annotators drew segments there are also the scores of the field. Where there is
    one mask, the labels of each image get its classes by Hungarian matching, an upper bound, for
    the truth chose the names.

    Args:
        found: what was found in each image of the data set.
        dataset: what is scored.
    """
    several = has_annotators(dataset)
    scorer = ProtocolScorer(dataset.protocols if several else ())
    regions: list[Scores] = []
    matched: list[Scores] = []
    for each in found:
        case = _case(each, dataset)
        regions.append(
            evaluate(
                case.labels,
                case.masks,
                ignore_index=case.ignore_index,
                relabel=True,
                name=case.name,
            )
        )
        if several:
            scorer.add(case.name, lambda looks_at, case=case: case)  # type: ignore[misc]
        else:
            matched.append(_matched(each, dataset))
    answer = _with_protocols(_region_answer(aggregate(regions)), scorer.scores())
    return answer if several else _with_classes(answer, aggregate(matched), dataset)


def _case(each: Found, dataset: Dataset) -> Case:
    drawn = dataset.truths is not None
    return Case(
        name=each.pair.name,
        labels=each.labels,
        masks=truths_of(dataset, each.pair, each.sample),
        ignore_index=None if drawn else dataset.ignore_index,
    )


def _region_answer(table: ScoreTable) -> Answer:
    return Answer(
        scores={row.name: _plain(row.value) for row in table.rows()}, images=_images(table)
    )


def _with_protocols(answer: Answer, scores: Sequence[ProtocolScores]) -> Answer:
    """With what the field scores by."""
    whole, images = dict(answer.scores), {name: dict(own) for name, own in answer.images.items()}
    for each in scores:
        whole |= {row.name: _plain(row.value) for row in each.rows()}
        for name, values in each.image_values().items():
            images[name] |= values
    return replace(answer, scores=whole, images=images)


def _with_classes(answer: Answer, table: ScoreTable, dataset: Dataset) -> Answer:
    """With the scores of labels that were matched with classes."""
    chosen = {row.name: _plain(row.value) for row in table.rows() if row.name in _MATCHED}
    matched = _images(table)
    return Answer(
        scores={**answer.scores, **chosen},
        images={
            name: {**values, **{key: matched[name][key] for key in _MATCHED}}
            for name, values in answer.images.items()
        },
        classes=_classes(table, dataset),
    )


def _matched(each: Found, dataset: Dataset) -> Scores:
    return evaluate(
        each.labels,
        each.sample.mask,
        ignore_index=dataset.ignore_index,
        relabel=False,
        classes=len(dataset.classes),
        name=each.pair.name,
    )


def _images(table: ScoreTable) -> Mapping[str, Values]:
    return {row.pop("image"): row for row in table.image_rows()}


def _classes(table: ScoreTable, dataset: Dataset) -> Mapping[str, Values]:
    matrix = table.confusion
    if matrix is None:
        return {}
    scores = zip(matrix.intersection_over_union, matrix.dice, strict=True)
    return {
        name: {"iou": _plain(iou), "dice": _plain(dice)}
        for name, (iou, dice) in zip(dataset.classes, scores, strict=True)
    }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
