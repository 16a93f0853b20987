"""Best-overlap mIoU: for each segment of the truth the best IoU that any predicted one reaches.

Source: Kim, Kanezaki, Tanaka, "Unsupervised Learning of Image Segmentation Based on Differentiable
Feature Clustering", IEEE Transactions on Image Processing 29, 2020, section IV.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import UsageError, nearest
from segmint.metrics.annotators import checked
from segmint.metrics.components import components
from segmint.metrics.contingency import IGNORE_INDEX, compact, tabulate

Selection = Literal["all", "fine", "coarse"]
SELECTIONS: tuple[Selection, ...] = ("all", "fine", "coarse")


def best_overlap(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    annotators: Selection = "all",
    relabel: bool = True,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Mean over the segments of the truth of the best IoU with a predicted segment.

    The mean over a data set is flat, over all segments of all images: use ``evaluate_many``,
    not the mean of these values.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them, one for each annotator.
        annotators: whose segments count: of all, of the annotator with most segments (``fine``)
            or of the one with fewest (``coarse``).
        relabel: split each label into its connected components first (4-neighbors, in a stack
            6), as the published figures do. Components are found before pixels are ignored.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        0 to 1, or NaN when no pixel is counted.

    Example:
        >>> halves = [[0, 0, 1, 1]]
        >>> best_overlap(halves, halves)
        1.0
        >>> best_overlap([[0, 0, 0, 0]], halves)
        0.5
    """
    if annotators not in SELECTIONS:
        raise UsageError(f"annotators is {annotators!r}: {nearest(str(annotators), SELECTIONS)}")
    labels, truths = checked(labels, masks)
    index, values = components(labels) if relabel else compact(labels)
    overlaps = [
        tabulate(index, values, truth, ignore_index).best_intersection_over_union
        for truth in truths
    ]
    return flat_mean(select(overlaps, annotators))


def select(
    overlaps: Sequence[NDArray[np.float64]], annotators: Selection
) -> list[NDArray[np.float64]]:
    """The best overlaps of the annotators that count; the first of those with equally many.

    An annotator without a counted segment is neither the finest nor the coarsest.
    """
    counted = [values for values in overlaps if values.size]
    if annotators == "all" or not counted:
        return counted
    choose = max if annotators == "fine" else min
    return [choose(counted, key=len)]


def flat_mean(overlaps: Sequence[NDArray[np.float64]]) -> float:
    """The mean over all values of all arrays, NaN when there are none."""
    count = sum(values.size for values in overlaps)
    return sum(float(values.sum()) for values in overlaps) / count if count else float("nan")
