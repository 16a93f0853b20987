"""Boundaries with a strength: precision and recall at many thresholds, and what sums them up.

Arbelaez, Maire, Fowlkes, Malik, "Contour Detection and Hierarchical Image Segmentation", PAMI
33(5), 2011, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.boundaries import BoundaryCounts, TruthBoundaries
from segmint.metrics.thinning import thin

THRESHOLDS = np.arange(1, 31) / 31
"""Of strengths from 0 to 1, evenly spread; the benchmark spreads 99 in the same way."""

Curve: TypeAlias = list[BoundaryCounts]
"""Counts at each threshold, of one image or of sums over images."""


def boundary_curve(
    strengths: NDArray[np.floating],
    truth: TruthBoundaries,
    thresholds: Sequence[float] | NDArray[np.float64] = THRESHOLDS,
) -> Curve:
    """Match the boundaries of at least a strength, thinned, at each threshold.

    Args:
        strengths: (H, W), 0 to 1, 0 where there is no boundary.
        truth: what annotators drew.
        thresholds: (T,), ascending.
    """
    curve: Curve = []
    before: NDArray[np.bool_] | None = None
    for threshold in thresholds:
        strong = strengths >= threshold
        if before is not None and np.array_equal(strong, before):
            curve.append(curve[-1])
        else:
            curve.append(truth.counts(thin(strong)))
        before = strong
    return curve


def summed(curves: Sequence[Curve]) -> Curve:
    """The sums over images at each threshold."""
    return [sum(counts, BoundaryCounts()) for counts in zip(*curves, strict=True)]


def best_threshold(curve: Curve) -> int:
    """Where F is largest, the first of equals; the benchmark looks between thresholds too."""
    return int(np.argmax([np.nan_to_num(counts.f_score, nan=-1.0) for counts in curve]))


def optimal_data_set_scale(curves: Sequence[Curve]) -> BoundaryCounts:
    """ODS: the sums over all images at the one threshold that is best for the set."""
    total = summed(curves)
    return total[best_threshold(total)]


def optimal_image_scale(curves: Sequence[Curve]) -> BoundaryCounts:
    """OIS: the sums over all images, each at the threshold that is best for it."""
    return sum((curve[best_threshold(curve)] for curve in curves), BoundaryCounts())


def average_precision(curve: Curve) -> float:
    """Area under precision over recall, 0 to 1; NaN where no threshold has both.

    Precision is linear between thresholds, that of the smallest recall below it, and 0 above the
    largest. (The benchmark has 0 below the smallest too.) Of thresholds with the same recall, the
    best precision counts.

    Args:
        curve: the sums over images.
    """
    points: dict[float, float] = {}
    for counts in curve:
        if counts.found and counts.truth:
            points[counts.recall] = max(points.get(counts.recall, 0.0), counts.precision)
    if not points:
        return float("nan")
    recalls = np.array(sorted(points))
    precisions = np.array([points[recall] for recall in recalls.tolist()])
    flat = recalls[0] * precisions[0]
    return float(flat + np.trapezoid(precisions, recalls))
