"""Examples of what a run says, chosen fairly: images with their truth and their prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets import Dataset
from segmint.datasets.sample import Sample
from segmint.metrics.calibration import Calibration, calibration
from segmint.recipes.run import Run
from segmint.recipes.scoring import RunScores, image_of
from segmint.reports.class_picture import UNCOUNTED

Mask = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.float32]

MAP_SIDE = 640
"""Pixels that maps are reduced to; a page shows none larger."""


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
    rank: int | None = None
    """Its place from the best image of the split, 1, to the worst, ``ranked``."""
    ranked: int = 0
    """How many images of the split have a score to be ranked by."""
    entropy: Bits | None = None
    """(h, w) how undecided the prediction is, in bits, reduced; NaN outside the region."""
    disagreement: Bits | None = None
    """The same of how much the networks of a run disagree."""
    calibration: Calibration | None = None
    """What its probabilities are worth; None where there are none, or no truth."""
    seconds: float | None = None
    """That its prediction took."""


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
    disagreement: bool = False,
) -> list[Example]:
    """Examples of a split, from the best image to the worst where scores are known.

    Args:
        run: predicts each of them.
        dataset: the split.
        count: how many at most.
        scores: of all its images; without them examples lie at equal steps in the split.
        disagreement: ask all networks of a run with several where they disagree.
    """
    values = None if scores is None else [each.mean_iou for each in scores.images.values()]
    if values is None or all(map(math.isnan, values)):
        chosen: Iterable[int] = evenly(len(dataset), count)
        values = [math.nan] * len(dataset)
    else:
        chosen = evenly_ranked(values, count)
    ranks = {index: rank for rank, index in enumerate(evenly_ranked(values, len(values)), start=1)}
    return [
        replace(
            _example(run, dataset, index, disagreement=disagreement),
            mean_iou=None if math.isnan(values[index]) else values[index],
            rank=ranks.get(index),
            ranked=len(ranks),
        )
        for index in chosen
    ]


def _example(run: Run, dataset: Dataset, index: int, *, disagreement: bool) -> Example:
    sample = dataset[index]
    found = run.segment(image_of(sample, dataset), region=sample.region)
    truth = _truth(sample, dataset.ignore_index)
    inside = found.labels >= 0
    return Example(
        name=dataset.pairs[index].name,
        image=sample.image,
        channel_names=dataset.channel_names,
        truth=truth,
        labels=_as_mask(found.labels),
        entropy=_map(found.entropy, inside),
        disagreement=_map(found.uncertainty, inside) if disagreement else None,
        calibration=_calibration(found.probabilities, truth),
        seconds=found.seconds,
    )


def _calibration(
    probabilities: npt.NDArray[np.float32] | None, truth: Mask | None
) -> Calibration | None:
    if probabilities is None or truth is None:
        return None
    return calibration(probabilities, truth, ignore_index=UNCOUNTED)


def _map(bits: Bits | None, inside: npt.NDArray[np.bool_]) -> Bits | None:
    """A map at the size of a page, NaN where nothing is known."""
    if bits is None:
        return None
    factor = math.ceil(max(bits.shape) / MAP_SIDE)
    height, width = (max(side // factor, 1) for side in bits.shape)
    cut = np.where(inside, bits, np.float32(np.nan))[: height * factor, : width * factor]
    blocks = cut.reshape(height, cut.shape[0] // height, width, cut.shape[1] // width)
    # The mean of a block that touches the outside is NaN, and so belongs to it.
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


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
