"""Thinning borders to nothing: each of their pixels is given to the nearest cell."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_NEAR = 8
"""Pixels: borders are thin, so that looking around them is faster than a distance map."""
_MANY = 0.25
"""Share of the slice from which a distance map is faster."""


def nearest_cells(numbers: NDArray[np.int32], pixels: NDArray[np.intp]) -> NDArray[np.int32]:
    """The number of the cell nearest to each of some border pixels, by Euclidean distance.

    Of cells equally near, one is taken, always the same for the same arrays.

    Args:
        numbers: (H, W) number of each cell, from 1; 0 on borders.
        pixels: (N,) flat indices of pixels on borders.

    Returns:
        (N,) numbers; all 1 where there is no cell, as then all is one.
    """
    if pixels.size > _MANY * numbers.size:
        return _by_distance_map(numbers, pixels)
    width = numbers.shape[1] + 2 * _NEAR
    flat = np.pad(numbers, _NEAR).ravel()
    row, column = np.divmod(pixels, numbers.shape[1])
    position = (row + _NEAR) * width + column + _NEAR
    found = np.zeros(pixels.size, np.int32)
    open_ = np.arange(pixels.size)
    for down, right in _offsets():
        there = flat[position + (down * width + right)]
        found[open_] = there
        still = there == 0
        open_, position = open_[still], position[still]
        if not open_.size:
            return found
    found[open_] = _by_distance_map(numbers, pixels[open_])
    return found


@functools.cache
def _offsets() -> tuple[tuple[int, int], ...]:
    """Steps down and right, the nearest first."""
    span = range(-_NEAR, _NEAR + 1)
    steps = [(down, right) for down in span for right in span if (down, right) != (0, 0)]
    near = [step for step in steps if step[0] ** 2 + step[1] ** 2 <= _NEAR**2]
    return tuple(sorted(near, key=lambda step: step[0] ** 2 + step[1] ** 2))


def _by_distance_map(numbers: NDArray[np.int32], pixels: NDArray[np.intp]) -> NDArray[np.int32]:
    from scipy import ndimage

    if not numbers.any():
        return np.ones(pixels.size, np.int32)
    rows, columns = ndimage.distance_transform_edt(
        numbers == 0, return_distances=False, return_indices=True
    )
    nearest: NDArray[np.int32] = numbers[rows.ravel()[pixels], columns.ravel()[pixels]]
    return nearest
