"""A look at what a run learns from: some of its images, and how many pixels each class has."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmint.datasets import Dataset
from segmint.datasets.sample import Sample
from segmint.reports.run_examples import evenly

SHOWN = 4
"""Images that are kept to be shown."""

MOST_IMAGES = 64
MOST_PIXELS = 8_000_000
"""Read at most so many images, and so many pixels of them, to count classes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """What some images of a split, at equal steps in it, say of all."""

    dataset: Dataset
    counts: npt.NDArray[np.int64]
    """(K,) pixels of each class."""
    uncounted: int
    """Pixels without a label, or outside the region."""
    images: int
    """That were looked at."""
    sizes: frozenset[tuple[int, int]]
    """Height and width of those."""
    samples: tuple[tuple[str, Sample], ...]
    """Some of them, with their names."""


def survey(dataset: Dataset) -> Survey:
    """Look at a split; the same images each time.

    Args:
        dataset: with an image.

    Raises:
        InputError: for an image that cannot be read.
    """
    first = {place: dataset[place] for place in evenly(len(dataset), SHOWN)}
    size = np.mean([sample.mask.size for sample in first.values()])
    count = min(max(math.floor(MOST_PIXELS / size), SHOWN), MOST_IMAGES)
    counts = np.zeros(len(dataset.classes), np.int64)
    uncounted, sizes = 0, set()
    places = evenly(len(dataset), count)
    for place in places:
        sample = first[place] if place in first else dataset[place]
        known = sample.mask != dataset.ignore_index
        if sample.region is not None:
            known &= sample.region
        counts += np.bincount(sample.mask[known], minlength=len(counts))
        uncounted += int(known.size - np.count_nonzero(known))
        sizes.add((sample.mask.shape[0], sample.mask.shape[1]))
    return Survey(
        dataset=dataset,
        counts=counts,
        uncounted=uncounted,
        images=len(places),
        sizes=frozenset(sizes),
        samples=tuple((dataset.pairs[place].name, sample) for place, sample in first.items()),
    )
