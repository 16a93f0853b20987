"""How far apart two surfaces lie: HD95, average surface distance, surface Dice at a tolerance.

A surface element is a pixel, or voxel, of the object that has one outside it across an edge, or
face; beyond the border of the array everything is outside. Every element weighs alike, as in MONAI.

Sources: Huttenlocher, Klanderman, Rucklidge, "Comparing Images Using the Hausdorff Distance", IEEE
TPAMI 15(9), 1993 (the 95th percentile in place of the maximum); Heimann et al., "Comparison and
Evaluation of Methods for Liver Segmentation From CT Datasets", IEEE TMI 28(8), 2009 (average
symmetric surface distance); Nikolov et al., "Deep learning to achieve clinically applicable
segmentation of head and neck anatomy for radiotherapy", arXiv 1809.04430, 2018 (surface Dice).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError, UsageError
from segmint.metrics.contingency import size_text
from segmint.metrics.values import array_of, number, numbers

PERCENTILE = 95
LONGEST = 1e6
"""Step of the spacing, beyond which squares of distances would lose their meaning."""
_ROUNDING = 1e-9
"""Relative: three steps of 0.3 are within 0.9."""
_DENSE = 8
"""With more than one surface element in so many pixels, a distance transform is the faster way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SurfaceDistances:
    """Distance of every surface element to the nearest one of the other object.

    Infinite where the other object is absent.
    """

    found: NDArray[np.float64]
    """(n,) from the surface that was found to the true one."""
    truth: NDArray[np.float64]
    """(m,) from the true surface to the one that was found."""

    @property
    def hd95(self) -> float:
        """The greater of the 95th percentiles of both directions, NaN where an object is absent.

        So do MONAI and the surface-distance library of DeepMind; MedPy takes one percentile of
        both directions together, which is never greater.
        """
        if not (self.found.size and self.truth.size):
            return math.nan
        return float(max(np.percentile(side, PERCENTILE) for side in (self.found, self.truth)))

    @property
    def average(self) -> float:
        """Mean over the elements of both surfaces together, NaN where an object is absent."""
        if not (self.found.size and self.truth.size):
            return math.nan
        return float((self.found.sum() + self.truth.sum()) / (self.found.size + self.truth.size))

    def dice(self, tolerance: float) -> float:
        """Share of the elements of both surfaces within a tolerance; NaN where both are absent."""
        count = self.found.size + self.truth.size
        reach = tolerance * (1 + _ROUNDING)
        within = sum(int((side <= reach).sum()) for side in (self.found, self.truth))
        return within / count if count else math.nan


def surface_distances(
    found: ArrayLike, truth: ArrayLike, *, spacing: Sequence[float] | None = None
) -> SurfaceDistances:
    """The distances between the surfaces of two objects.

    Args:
        found: (H, W) or (D, H, W) boolean or of 0 and 1, the object that was found.
        truth: such an array of the same shape, the true one.
        spacing: length of a step along each axis, above 0 up to a million; None is 1.

    Raises:
        InputError: for arrays of other values, that differ in shape, or are not of two or three
            axes.
        UsageError: for a spacing that is not one such length for each axis.

    Example:
        >>> found, truth = [[1, 1, 0, 0]], [[0, 0, 1, 1]]
        >>> distances = surface_distances(found, truth, spacing=(1, 0.5))
        >>> distances.found.tolist(), distances.truth.tolist()
        ([1.0, 0.5], [0.5, 1.0])
    """
    first, second = _checked(found), _checked(truth)
    if first.shape != second.shape:
        raise InputError(
            f"the object found is {size_text(first)} and the true one {size_text(second)}: both "
            "need the same size"
        )
    return distances_between(first, second, checked_spacing(spacing, first.ndim))


def hd95(found: ArrayLike, truth: ArrayLike, *, spacing: Sequence[float] | None = None) -> float:
    """The greater of the 95th percentiles of the distances from either surface to the other.

    Args:
        found: as for :func:`surface_distances`.
        truth: as for :func:`surface_distances`.
        spacing: as for :func:`surface_distances`.

    Returns:
        0 or more in units of the spacing, NaN where an object is absent.

    Example:
        >>> hd95([[1, 1, 0, 0]], [[1, 1, 0, 0]])
        0.0
    """
    return surface_distances(found, truth, spacing=spacing).hd95


def average_surface_distance(
    found: ArrayLike, truth: ArrayLike, *, spacing: Sequence[float] | None = None
) -> float:
    """Mean distance from the elements of both surfaces to the other one (ASSD).

    Args:
        found: as for :func:`surface_distances`.
        truth: as for :func:`surface_distances`.
        spacing: as for :func:`surface_distances`.

    Returns:
        0 or more in units of the spacing, NaN where an object is absent.

    Example:
        >>> average_surface_distance([[1, 1, 0, 0]], [[0, 1, 1, 0]])
        0.5
    """
    return surface_distances(found, truth, spacing=spacing).average


def surface_dice(
    found: ArrayLike,
    truth: ArrayLike,
    *,
    tolerance: float,
    spacing: Sequence[float] | None = None,
) -> float:
    """Share of the elements of both surfaces that lie within a tolerance of the other surface.

    Args:
        found: as for :func:`surface_distances`.
        truth: as for :func:`surface_distances`.
        tolerance: greatest distance that counts as agreement, in units of the spacing.
        spacing: as for :func:`surface_distances`.

    Returns:
        0 to 1; 0 where one object is absent, NaN where both are.

    Raises:
        UsageError: also for a tolerance that is not a finite number from 0 up.

    Example:
        >>> surface_dice([[1, 0, 0, 0]], [[0, 0, 1, 0]], tolerance=1)
        0.0
        >>> surface_dice([[1, 0, 0, 0]], [[0, 0, 1, 0]], tolerance=1, spacing=(1, 0.5))
        1.0
    """
    return surface_distances(found, truth, spacing=spacing).dice(checked_tolerance(tolerance))


def distances_between(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> SurfaceDistances:
    """As :func:`surface_distances`, of arrays that were checked."""
    box = _common_box(found, truth)
    if box is None:
        return SurfaceDistances(found=np.empty(0), truth=np.empty(0))
    first, second = surface(found[box]), surface(truth[box])
    return SurfaceDistances(
        found=_distances(first, second, spacing), truth=_distances(second, first, spacing)
    )


def surface(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The elements of the surface of an object, of the same shape."""
    inner = inside.copy()
    for axis in range(inside.ndim):
        lines, kept = np.moveaxis(inside, axis, 0), np.moveaxis(inner, axis, 0)
        kept[1:] &= lines[:-1]
        kept[:-1] &= lines[1:]
        kept[[0, -1]] = False
    return inside & ~inner


def checked_spacing(spacing: Sequence[float] | None, axes: int) -> NDArray[np.float64]:
    """The length of a step along each axis.

    Raises:
        UsageError: for other than one length above 0, up to a million, for each axis.
    """
    if spacing is None:
        return np.ones(axes)
    accepted = f"one length above 0 for each of the {axes} axes"
    steps = numbers(spacing, "spacing", accepted)
    if len(steps) != axes or not are_lengths(steps):
        raise UsageError(
            f"spacing is {', '.join(f'{step:g}' for step in steps) or 'empty'}, accepted is "
            f"{accepted}, up to {LONGEST:.0f}: give {axes} numbers"
        )
    return np.array(steps)


def are_lengths(steps: Sequence[float]) -> bool:
    """Whether pixels can have this size."""
    return all(0 < step <= LONGEST for step in steps)


def checked_tolerance(tolerance: float) -> float:
    """The tolerance of the surface Dice.

    Raises:
        UsageError: for other than a finite number from 0 up.
    """
    accepted = "a number from 0 up"
    distance = number(tolerance, "tolerance", accepted)
    if distance < 0:
        raise UsageError(f"tolerance is {distance:g}, accepted is {accepted}: give one")
    return distance


def _checked(values: ArrayLike) -> NDArray[np.bool_]:
    array = array_of(values, "object")
    of_zero_and_one = array.dtype.kind in "ui" and not np.any((array != 0) & (array != 1))
    if array.dtype != np.bool_ and not of_zero_and_one:
        raise InputError(
            f"an object holds {array.dtype} values, accepted are booleans, true inside of it, or "
            "integers 0 and 1: compare the labels with its number, labels == 1"
        )
    if array.ndim not in (2, 3) or not array.size:
        raise InputError(
            f"an object has the shape {size_text(array)}, accepted is one value for each pixel, "
            "H x W or D x H x W, with at least one pixel"
        )
    return array.astype(np.bool_)


def _common_box(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """The smallest box with both objects, or None where there is none."""
    box = []
    either = first | second
    for axis in range(either.ndim):
        others = tuple(other for other in range(either.ndim) if other != axis)
        filled = np.flatnonzero(either.any(axis=others))
        if not filled.size:
            return None
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return tuple(box)


def _distances(
    start: NDArray[np.bool_], goal: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From every element of one surface to the nearest of another."""
    count = np.count_nonzero(start)
    if not count or not goal.any():
        return np.full(count, np.inf)
    dense = max(count, np.count_nonzero(goal)) * _DENSE > start.size
    return (_by_transform if dense else _by_tree)(start, goal, spacing)


def _by_transform(
    start: NDArray[np.bool_], goal: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt

    distances: NDArray[np.float64] = distance_transform_edt(~goal, sampling=spacing)[start]
    return distances


def _by_tree(
    start: NDArray[np.bool_], goal: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.spatial import KDTree

    tree = KDTree(np.argwhere(goal) * spacing)
    distances, _ = tree.query(np.argwhere(start) * spacing)
    return np.asarray(distances)
