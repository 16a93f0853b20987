"""Smaller copies of a label map, each half as large as the one before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

TILE = 512
"""Side of the squares that label files of scenes are stored in."""


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Height and width of each level, from the whole size down to one tile.

    Each is half the one before, rounded up.

    Example:
        >>> level_sizes(1500, 900)
        [(1500, 900), (750, 450), (375, 225)]
    """
    sizes = [(height, width)]
    while max(sizes[-1]) > TILE:
        height, width = sizes[-1]
        sizes.append((-(-height // 2), -(-width // 2)))
    return sizes


def halved(stored: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """The most frequent id of each 2 x 2 pixels, of equally frequent ones the smallest.

    The greatest value of the type marks pixels outside the region; it comes out only where all
    four are outside.

    Args:
        stored: (H, W) unsigned, as a label file holds them; a last odd row or column stands alone.

    Returns:
        The same type, half as large, rounded up.

    Example:
        >>> halved(np.array([[3, 1, 255], [3, 2, 7]], np.uint8)).tolist()
        [[3, 7]]
    """
    outside = np.iinfo(stored.dtype).max
    height, width = stored.shape
    if height % 2 or width % 2:
        margins = ((0, height % 2), (0, width % 2))
        stored = np.pad(stored, margins, constant_values=outside)
    least, second, third, most = _sorted(*(stored[y::2, x::2] for y in (0, 1) for x in (0, 1)))
    # In order, equal ids are neighbors, and those outside come last.
    result = np.where((third == most) & (third != outside), third, least)
    result = np.where((second == third) & (second != outside), second, result)
    return np.where(least == second, least, result)


def _sorted(*four: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Four arrays sorted pixel by pixel, by the network of five comparisons."""
    first, second, third, fourth = four
    first, second = np.minimum(first, second), np.maximum(first, second)
    third, fourth = np.minimum(third, fourth), np.maximum(third, fourth)
    first, third = np.minimum(first, third), np.maximum(first, third)
    second, fourth = np.minimum(second, fourth), np.maximum(second, fourth)
    second, third = np.minimum(second, third), np.maximum(second, third)
    return first, second, third, fourth
