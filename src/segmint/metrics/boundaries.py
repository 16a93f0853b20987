"""Boundary precision, recall and F, as the Berkeley benchmark measures them.

Martin, Fowlkes, Malik, "Learning to Detect Natural Image Boundaries Using Local Brightness, Color,
and Texture Cues", PAMI 26(5), 2004; Arbelaez, Maire, Fowlkes, Malik, "Contour Detection and
Hierarchical Image Segmentation", PAMI 33(5), 2011, section 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError, UsageError
from segmint.metrics.annotators import checked
from segmint.metrics.boundary_matching import matched_pixels
from segmint.metrics.boundary_pixels import boundary_pixels, touching_blocks
from segmint.metrics.contingency import IGNORE_INDEX, size_text
from segmint.metrics.values import number

TOLERANCE = 0.0075
"""Greatest distance of matched pixels as a share of the image's diagonal: 4.3 pixels in BSDS."""


@dataclass(frozen=True, kw_only=True)
class BoundaryCounts:
    """Boundary pixels of one image, or the sums over many."""

    found: int = 0
    """Of the prediction."""
    found_matched: int = 0
    """Of those, matched to at least one annotator."""
    truth: int = 0
    """Of all annotators together."""
    truth_matched: int = 0
    """Of those, matched to the prediction."""

    def __add__(self, other: BoundaryCounts) -> BoundaryCounts:
        """The counts of both together."""
        return BoundaryCounts(
            found=self.found + other.found,
            found_matched=self.found_matched + other.found_matched,
            truth=self.truth + other.truth,
            truth_matched=self.truth_matched + other.truth_matched,
        )

    @property
    def precision(self) -> float:
        """Share of the prediction's pixels that are matched, NaN where it has none."""
        return self.found_matched / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the annotators' pixels that are matched, NaN where they have none."""
        return self.truth_matched / self.truth if self.truth else float("nan")

    @property
    def f_score(self) -> float:
        """Harmonic mean of both: NaN where nobody has a boundary, 0 where only one side has."""
        if not (self.found or self.truth):
            return float("nan")
        if not (self.found_matched and self.truth_matched):
            return 0.0
        return 2 / (1 / self.precision + 1 / self.recall)


class TruthBoundaries:
    """The boundaries that annotators drew in one image, to be met with one prediction or many."""

    def __init__(
        self,
        masks: Sequence[NDArray[np.integer]],
        *,
        uncounted: NDArray[np.bool_] | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Find the boundaries.

        Args:
            masks: (H, W) segments of each annotator.
            uncounted: (H, W), pixels that do not count, nor boundaries beside them.
            tolerance: greatest distance of matched pixels as a share of the diagonal.
        """
        height, width = masks[0].shape
        self._distance = tolerance * math.hypot(height, width)
        self._uncounted = None if uncounted is None else touching_blocks(uncounted)
        self._maps = [self._kept(boundary_pixels(mask)) for mask in masks]

    def counts(self, found: NDArray[np.bool_]) -> BoundaryCounts:
        """Meet the thin boundaries of a prediction, (H, W)."""
        found = self._kept(found)
        matched = [matched_pixels(found, truth, self._distance) for truth in self._maps]
        return BoundaryCounts(
            found=int(np.count_nonzero(found)),
            found_matched=int(np.count_nonzero(np.any(matched, axis=0))),
            truth=sum(int(np.count_nonzero(truth)) for truth in self._maps),
            truth_matched=sum(int(np.count_nonzero(each)) for each in matched),
        )

    def _kept(self, boundaries: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return boundaries if self._uncounted is None else boundaries & ~self._uncounted


def boundary_f(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    tolerance: float = TOLERANCE,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """F of the boundaries between segments, matched to those of every annotator.

    :func:`boundary_counts` says what is counted, :class:`BoundaryCounts` what becomes of it.

    Args:
        labels: (H, W) integers, the segments of a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them, one an annotator.
        tolerance: greatest distance of matched pixels as a share of the diagonal, 0 to 1.
        ignore_index: value of the masks that is not counted, or None.

    Returns:
        0 to 1, 1 for equal segments; NaN where neither has a boundary.

    Raises:
        InputError: for arrays that are not integers (H, W), or differ in size.
        UsageError: for a tolerance out of range.

    Example:
        >>> truth = [[1, 1, 2, 2]] * 4
        >>> boundary_f(truth, truth), boundary_f([[1, 1, 1, 1]] * 4, truth)
        (1.0, 0.0)
    """
    return boundary_counts(labels, masks, tolerance=tolerance, ignore_index=ignore_index).f_score


def boundary_counts(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    tolerance: float = TOLERANCE,
    ignore_index: int | None = IGNORE_INDEX,
) -> BoundaryCounts:
    """Thin the boundaries of all segments and match those of the prediction to each annotator's.

    A pixel of the prediction is right when it is matched to any annotator; every pixel of every
    annotator wants to be found. Boundaries beside pixels that are not counted are left out.

    Args:
        labels: (H, W) integers, the segments of a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them, one an annotator.
        tolerance: greatest distance of matched pixels as a share of the diagonal, 0 to 1.
        ignore_index: value of the masks that is not counted in any of them, or None.

    Raises:
        InputError: for arrays that are not integers (H, W), or differ in size.
        UsageError: for a tolerance out of range.
    """
    array, truths = checked(labels, masks)
    if array.ndim != 2:
        raise InputError(
            f"labels: the shape is {size_text(array)}, accepted is one image H x W: give the "
            "slices of a stack one by one and add their counts"
        )
    uncounted = uncounted_pixels(array, truths, ignore_index)
    truth = TruthBoundaries(truths, uncounted=uncounted, tolerance=checked_tolerance(tolerance))
    return truth.counts(boundary_pixels(array))


def uncounted_pixels(
    labels: NDArray[np.integer], masks: Sequence[NDArray[np.integer]], ignore_index: int | None
) -> NDArray[np.bool_] | None:
    """Pixels outside the region, or ignored in any mask; None where all count."""
    out = labels < 0
    for mask in masks:
        out |= mask < 0
        if ignore_index is not None:
            out |= mask == ignore_index
    return out if out.any() else None


def checked_tolerance(tolerance: float) -> float:
    """The tolerance, when it is a share of the diagonal.

    Raises:
        UsageError: when it is not.
    """
    accepted = "a share of the diagonal from 0 to 1"
    share = number(tolerance, "tolerance", accepted)
    if not 0 <= share <= 1:
        raise UsageError(
            f"tolerance is {share:g}, accepted is {accepted}, of which the benchmark takes "
            f"{TOLERANCE}"
        )
    return share
