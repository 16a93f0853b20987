"""The scores of mixtures, as Schwab, Mayr and Haltmeier (2024) have them: of each image alone.

Dice of each class is measured in every image, and the mean over images is the score. Components
get their classes from the truth, by Hungarian matching and by the greedy order of Dice of the
paper; both are upper bounds. A mixture that knows the means of the classes has names of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.comparisons.cell import Answer, Values
from segmint.comparisons.component_cell import Found
from segmint.datasets.dataset import Dataset
from segmint.metrics import Matching, match

MATCHINGS: Mapping[str, Matching] = {"mean_dice": "hungarian", "mean_dice_greedy": "greedy"}
"""How components are given classes, by the name of the score."""
OWN_NAMES = "mean_dice_own"
LIKELIHOOD = "nll"


def score_mixtures(found: Iterable[Found], dataset: Dataset) -> Answer:
    """Dice by every way to name components, of each class, and the likelihood.

    Args:
        found: what was found in each image of the data set.
        dataset: with one mask an image.
    """
    images: dict[str, Values] = {}
    by_class: list[Sequence[float]] = []
    for each in found:
        dice = {
            name: _class_dice(_matched(each, way, dataset.ignore_index), each, dataset)
            for name, way in MATCHINGS.items()
        }
        own = _named(each, dataset.classes)
        if own is not None:
            dice[OWN_NAMES] = _class_dice(own, each, dataset)
        by_class.append(dice["mean_dice"])
        means = {name: _mean(values) for name, values in dice.items()}
        images[each.pair.name] = {**means, LIKELIHOOD: _likelihood(each.record)}
    return Answer(
        scores={name: _mean_of(images, name) for name in (*MATCHINGS, OWN_NAMES, LIKELIHOOD)},
        images=images,
        classes={
            name: {"dice": _mean([values[index] for values in by_class])}
            for index, name in enumerate(dataset.classes)
        },
    )


def _matched(each: Found, way: Matching, ignore_index: int) -> NDArray[np.int32]:
    classes = match(each.labels, each.sample.mask, method=way, ignore_index=ignore_index)
    return _replaced(each.labels, classes)


def _named(each: Found, classes: Sequence[str]) -> NDArray[np.int32] | None:
    """Labels as classes by the names that the components have; None where they have none."""
    names: Mapping[str, str] = each.record.get("names") or {}
    own = {int(label): classes.index(name) for label, name in names.items() if name in classes}
    return _replaced(each.labels, own) if own else None


def _replaced(labels: NDArray[np.int32], classes: Mapping[int, int]) -> NDArray[np.int32]:
    """Labels by their classes, -1 where they have none."""
    table = np.full(int(labels.max(initial=0)) + 2, -1, np.int32)
    for label, value in classes.items():
        if 0 <= label < len(table) - 1:
            table[label] = value
    return np.asarray(table[labels])


def _class_dice(labels: NDArray[np.int32], each: Found, dataset: Dataset) -> Sequence[float]:
    """Of each class where the truth is known; NaN for a class in neither."""
    mask = each.sample.mask
    known = mask != dataset.ignore_index
    values = []
    for number in range(len(dataset.classes)):
        predicted, true = known & (labels == number), mask == number
        total = int(predicted.sum() + true.sum())
        values.append(2 * int((predicted & true).sum()) / total if total else math.nan)
    return values


def _likelihood(record: Mapping[str, Any]) -> float | None:
    """The negative log-likelihood in nats a pixel that a mixture ended with."""
    history = record.get("history") or [{}]
    value = history[-1].get(LIKELIHOOD)
    return float(value) if isinstance(value, int | float) else None


def _mean_of(images: Mapping[str, Values], name: str) -> float | None:
    values = (each.get(name) for each in images.values())
    return _mean([value for value in values if value is not None])


def _mean(values: Iterable[float]) -> float | None:
    counted = [value for value in values if not math.isnan(value)]
    return sum(counted) / len(counted) if counted else None
