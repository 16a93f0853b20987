"""The truth that components are held against: every annotator's segments, or the one mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample

Truths = tuple[NDArray[np.integer[Any]], ...]


def truths_of(dataset: Dataset, pair: Pair, sample: Sample) -> Truths:
    """Segments of an image (H, W), one array an annotator.

    Args:
        dataset: that the image is of.
        pair: its files.
        sample: what they hold.
    """
    return (sample.mask,) if dataset.truths is None else dataset.truths(pair)


def has_annotators(dataset: Dataset) -> bool:
    """Whether several people drew segments, so that no mask says which class a pixel has."""
    truths = dataset.truths
    return truths is not None and any(len(truths(pair)) > 1 for pair in dataset.pairs)
