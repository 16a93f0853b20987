"""Which found objects are which true ones: average precision, AJI and panoptic quality.

All three follow from the contingency table of two label maps, in which every nonzero number is an
object. Overlapping pairs alone are kept, so that thousands of objects cost little more than their
pixels.

Sources: Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
Bowl", Nature Methods 16, 2019 (average precision); Kumar et al., "A Dataset and a Technique for
Generalized Nuclear Segmentation for Computational Pathology", IEEE TMI 36(7), 2017, algorithm 1
(AJI); Kirillov et al., "Panoptic Segmentation", CVPR 2019, equation (1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import UsageError
from segmint.metrics.contingency import Contingency, contingency
from segmint.metrics.values import number, numbers

THRESHOLDS: tuple[float, ...] = tuple(step / 100 for step in range(50, 100, 5))
"""Of the IoU: .50 to .95 in steps of .05."""

PANOPTIC_THRESHOLD = 0.5
"""Of the IoU; pairs above it are one-to-one by themselves."""

_IOU = "an IoU above 0 up to 1"


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlaps:
    """The objects of two label maps, and the pairs of them that share a pixel."""

    found: NDArray[np.int64]
    """(F,) pixels of each object that was found."""
    true: NDArray[np.int64]
    """(T,) pixels of each true object."""
    rows: NDArray[np.intp]
    """(M,) found object of each pair."""
    columns: NDArray[np.intp]
    """(M,) true object of each pair."""
    shared: NDArray[np.int64]
    """(M,) pixels that a pair shares, at least 1."""

    @property
    def unions(self) -> NDArray[np.int64]:
        """(M,) pixels of either object of a pair."""
        union: NDArray[np.int64] = self.found[self.rows] + self.true[self.columns] - self.shared
        return union

    @property
    def intersection_over_union(self) -> NDArray[np.float64]:
        """(M,) IoU of each pair, above 0 up to 1."""
        return self.shared / self.unions


def overlaps(labels: ArrayLike, mask: ArrayLike, *, ignore_index: int | None = None) -> Overlaps:
    """The objects of two label maps and how they overlap.

    Args:
        labels: (H, W) or (D, H, W) integers, the objects found; 0 is background, negative lies
            outside the region and is not counted.
        mask: integers of the same shape, the true objects; 0 is background.
        ignore_index: value of the mask that is not counted, or None. Objects that have no other
            pixel are none.

    Raises:
        InputError: for arrays that are not integers, have no pixels, or differ in size.
    """
    return overlaps_of(contingency(labels, mask, ignore_index=ignore_index))


def overlaps_of(table: Contingency) -> Overlaps:
    """The same from a table that was counted already."""
    rows, found = _without_background(table.labels)
    columns, true = _without_background(table.classes)
    both = (rows[table.rows] >= 0) & (columns[table.columns] >= 0)
    return Overlaps(
        found=table.row_sizes[found],
        true=table.column_sizes[true],
        rows=rows[table.rows][both],
        columns=columns[table.columns][both],
        shared=table.cells[both],
    )


def matched_pairs(found: Overlaps, threshold: float) -> int:
    """The most pairs of a found and a true object, each in one pair at most, of enough IoU.

    Above .5 a pair is unique by itself; at .5 and below one object may fit several, and the pairs
    are a maximum matching (Hopcroft, Karp 1973).

    Args:
        found: of two label maps.
        threshold: IoU that a pair has at least, above 0 up to 1.

    Raises:
        UsageError: for a threshold out of range.

    Example:
        >>> matched_pairs(overlaps([[1, 1, 2, 0]], [[5, 5, 5, 0]]), 0.5)
        1
    """
    if not 0 < number(threshold, "threshold", _IOU) <= 1:
        raise UsageError(f"threshold is {threshold}, accepted is {_IOU}")
    fitting = found.intersection_over_union >= threshold
    rows, columns = found.rows[fitting], found.columns[fitting]
    if _all_different(rows) and _all_different(columns):
        return int(rows.size)
    return _maximum_matching(rows, columns, (found.found.size, found.true.size))


def average_precision(
    labels: ArrayLike,
    mask: ArrayLike,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    ignore_index: int | None = None,
) -> float:
    """Mean over IoU thresholds of TP / (TP + FP + FN), as the Data Science Bowl scored an image.

    Args:
        labels: as for :func:`overlaps`.
        mask: as for :func:`overlaps`.
        thresholds: each above 0 up to 1; a pair of that IoU or more is a hit.
        ignore_index: as for :func:`overlaps`.

    Returns:
        0 to 1, NaN where there is no object in either.

    Example:
        >>> average_precision([[1, 1, 2, 2]], [[3, 3, 0, 0]])
        0.5
    """
    found = overlaps(labels, mask, ignore_index=ignore_index)
    hits = [
        matched_pairs(found, threshold) for threshold in numbers(thresholds, "thresholds", _IOU)
    ]
    objects = found.found.size + found.true.size
    if not (objects and hits):
        return math.nan
    return math.fsum(count / (objects - count) for count in hits) / len(hits)


def aggregated_jaccard_index(
    labels: ArrayLike, mask: ArrayLike, *, ignore_index: int | None = None
) -> float:
    """Pixels shared by each true object and its best partner, of those of all pairs and the rest.

    The best partner is the found object of the greatest IoU; as published it may be that of several
    true objects. Found objects that are nobody's partner are added to the denominator.

    Args:
        labels: as for :func:`overlaps`.
        mask: as for :func:`overlaps`.
        ignore_index: as for :func:`overlaps`.

    Returns:
        0 to 1, NaN where there is no object in either.

    Example:
        >>> aggregated_jaccard_index([[1, 1, 0, 2]], [[3, 3, 3, 0]])  # 2 of 3 + 1
        0.5
    """
    shared, union = aggregated_areas(overlaps(labels, mask, ignore_index=ignore_index))
    return shared / union if union else math.nan


def aggregated_areas(found: Overlaps) -> tuple[int, int]:
    """Numerator and denominator of the aggregated Jaccard index, in pixels."""
    partners, missed = _best_partners(found)
    alone = np.ones(found.found.size, dtype=np.bool_)
    alone[found.rows[partners]] = False
    union = found.unions[partners].sum() + found.true[missed].sum() + found.found[alone].sum()
    return int(found.shared[partners].sum()), int(union)


@dataclass(frozen=True, kw_only=True)
class PanopticQuality:
    """How well objects are found (recognition) and outlined (segmentation)."""

    hits: int
    """Pairs with an IoU above .5."""
    spurious: int
    """Found objects that are in no pair."""
    missed: int
    """True objects that are in no pair."""
    overlap: float
    """Sum of the IoU of the pairs."""

    @property
    def quality(self) -> float:
        """PQ = SQ * RQ, 0 to 1; NaN where there is no object."""
        weight = self.hits + (self.spurious + self.missed) / 2
        return self.overlap / weight if weight else math.nan

    @property
    def segmentation(self) -> float:
        """SQ, mean IoU of the pairs, above .5 up to 1; NaN where there is no pair."""
        return self.overlap / self.hits if self.hits else math.nan

    @property
    def recognition(self) -> float:
        """RQ, the F score of finding objects, 0 to 1; NaN where there is no object."""
        weight = self.hits + (self.spurious + self.missed) / 2
        return self.hits / weight if weight else math.nan

    def __add__(self, other: PanopticQuality) -> PanopticQuality:
        return PanopticQuality(
            hits=self.hits + other.hits,
            spurious=self.spurious + other.spurious,
            missed=self.missed + other.missed,
            overlap=self.overlap + other.overlap,
        )


def panoptic_quality(
    labels: ArrayLike, mask: ArrayLike, *, ignore_index: int | None = None
) -> PanopticQuality:
    """Panoptic quality of one class of objects.

    Args:
        labels: as for :func:`overlaps`.
        mask: as for :func:`overlaps`.
        ignore_index: as for :func:`overlaps`.

    Returns:
        The quality and its parts; those of several images add up.

    Example:
        >>> found = panoptic_quality([[1, 1, 1, 0, 2]], [[3, 3, 3, 3, 0]])
        >>> found.quality, found.segmentation, found.recognition
        (0.5, 0.75, 0.6666666666666666)
    """
    return panoptic_of(overlaps(labels, mask, ignore_index=ignore_index))


def panoptic_of(found: Overlaps) -> PanopticQuality:
    """The same from overlaps."""
    ious = found.intersection_over_union
    hits = ious[ious > PANOPTIC_THRESHOLD]
    return PanopticQuality(
        hits=hits.size,
        spurious=found.found.size - hits.size,
        missed=found.true.size - hits.size,
        overlap=math.fsum(hits.tolist()),
    )


def _without_background(values: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The object of each row, -1 for the background, and which rows are objects."""
    objects = values != 0
    return np.where(objects, np.cumsum(objects) - 1, -1), objects


def _best_partners(found: Overlaps) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The pair of each true object that has one, and the true objects that have none.

    Of pairs with equal IoU the one that shares more pixels, then the first.
    """
    ious = found.intersection_over_union
    order = np.lexsort((found.rows, -found.shared, -ious, found.columns))
    first = np.diff(found.columns[order], prepend=-1) > 0
    missed = np.ones(found.true.size, dtype=np.bool_)
    missed[found.columns] = False
    return order[first], missed


def _all_different(numbers: NDArray[np.intp]) -> bool:
    return bool(np.unique(numbers).size == numbers.size)


def _maximum_matching(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]
) -> int:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    graph = csr_array((np.ones(rows.size, dtype=np.bool_), (rows, columns)), shape=shape)
    return int(np.count_nonzero(maximum_bipartite_matching(graph) >= 0))
