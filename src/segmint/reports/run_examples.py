"""Examples of what a run says, chosen fairly: images with their truth and their prediction."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets import Dataset
from segmint.datasets.sample import Sample
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores, image_of
from segmint.reports.class_picture import UNCOUNTED

Mask = npt.NDArray[np.uint8]

MOST_KEPT = 256_000_000
"""Bytes of packed predictions that are kept in memory; the others are predicted once more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One image, and what is shown beside it."""

    name: str
    image: npt.NDArray[Any]
    """(H, W, C) of any type."""
    channel_names: tuple[str, ...] = ()
    truth: Mask | None
    """(H, W) classes, ``UNCOUNTED`` where nothing counts; None where no pixel has a truth."""
    labels: Mask
    """(H, W) predicted classes, ``UNCOUNTED`` outside the region."""
    mean_iou: float | None = None
    """Over the classes in truth or prediction of this image; None where it was not computed."""


class KeptPredictions:
    """Predictions in memory, packed, as long as they fit into a bound.

    Args:
        most: bytes.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._left = most
        self._packed: dict[int, tuple[bytes, tuple[int, ...]]] = {}

    def keep(self, index: int, labels: npt.NDArray[np.integer[Any]]) -> None:
        """Keep the labels (H, W) of an image, unless there is no room."""
        packed = zlib.compress(_as_mask(labels).tobytes(), level=1)
        if len(packed) <= self._left:
            self._left -= len(packed)
            self._packed[index] = (packed, labels.shape)

    def get(self, index: int) -> Mask | None:
        """The labels of an image, or None when they were not kept."""
        if index not in self._packed:
            return None
        packed, shape = self._packed[index]
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)


def evenly_ranked(scores: Sequence[float], count: int) -> list[int]:
    """Positions of scores from the best to the worst at equal steps of rank, both among them.

    Args:
        scores: higher is better; NaN is left out.
        count: how many at most.

    Example:
        >>> evenly_ranked([0.1, 0.9, 0.5, 0.7, float("nan")], 2)
        [1, 0]
    """
    known = [index for index, score in enumerate(scores) if not math.isnan(score)]
    ranked = sorted(known, key=lambda index: (-scores[index], index))
    return [ranked[place] for place in evenly(len(ranked), count)]


def evenly(length: int, count: int) -> list[int]:
    """At most ``count`` different places from 0 to ``length - 1`` at equal steps.

    Example:
        >>> evenly(9, 3), evenly(2, 5)
        ([0, 4, 8], [0, 1])
    """
    places = np.linspace(0, length - 1, min(count, length))
    return [round(place) for place in places.tolist()]


def gather_examples(
    run: Run,
    dataset: Dataset,
    count: int,
    *,
    scores: RunScores | None = None,
    kept: KeptPredictions | None = None,
) -> list[Example]:
    """Examples of a split, from the best image to the worst where scores are known.

    Args:
        run: predicts what was not kept.
        dataset: the split.
        count: how many at most.
        scores: of all its images; without them examples lie at equal steps in the split.
        kept: predictions that are there already.
    """
    values = None if scores is None else [each.mean_iou for each in scores.images.values()]
    if values is None or all(map(math.isnan, values)):
        chosen: Iterable[int] = evenly(len(dataset), count)
    else:
        chosen = evenly_ranked(values, count)
    return [
        _example(run, dataset, index, kept, None if values is None else values[index])
        for index in chosen
    ]


def _example(
    run: Run, dataset: Dataset, index: int, kept: KeptPredictions | None, value: float | None
) -> Example:
    sample = dataset[index]
    labels = None if kept is None else kept.get(index)
    if labels is None:
        labels = _as_mask(run.predict(image_of(sample, dataset), region=sample.region))
    return Example(
        name=dataset.pairs[index].name,
        image=sample.image,
        channel_names=dataset.channel_names,
        truth=_truth(sample, dataset.ignore_index),
        labels=labels,
        mean_iou=None if value is None or math.isnan(value) else value,
    )


def _truth(sample: Sample, ignore_index: int) -> Mask | None:
    uncounted = sample.mask == ignore_index
    if sample.region is not None:
        uncounted = uncounted | ~sample.region
    if uncounted.all():
        return None
    return np.where(uncounted, np.uint8(UNCOUNTED), sample.mask)


def _as_mask(labels: npt.NDArray[np.integer[Any]]) -> Mask:
    """Labels with ``UNCOUNTED`` in the place of what is below 0."""
    return np.where(labels < 0, UNCOUNTED, labels).astype(np.uint8)
