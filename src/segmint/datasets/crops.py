"""Square crops about a region, with each channel brought to mean 0 and deviation 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Corner = tuple[int, int]


def crop_corner(region: npt.NDArray[np.bool_], size: int) -> Corner:
    """Where a crop about the center of mass of a region begins.

    Args:
        region: (H, W) with at least one pixel.
        size: side of the crop in pixels.

    Returns:
        Row and column. The crop lies inside the image where it fits; along an axis shorter than
        the crop the image is in its middle and the corner is negative.

    Example:
        >>> region = np.zeros((9, 9), bool)
        >>> region[3:6, 0] = True
        >>> crop_corner(region, 5)
        (2, 0)
    """
    row, column = (
        _start(float(places.mean()), length, size)
        for places, length in zip(np.nonzero(region), region.shape, strict=True)
    )
    return row, column


def take_crop(array: npt.NDArray[Any], corner: Corner, size: int, fill: Any) -> npt.NDArray[Any]:
    """The crop of an array (H, W, ...), ``fill`` where it reaches beyond."""
    crop = np.full((size, size, *array.shape[2:]), fill, array.dtype)
    target, source = [], []
    for start, length in zip(corner, array.shape[:2], strict=True):
        low, high = max(start, 0), min(start + size, length)
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    crop[tuple(target)] = array[tuple(source)]
    return crop


def standardized(channel: npt.NDArray[Any], corner: Corner, size: int) -> npt.NDArray[np.float32]:
    """The crop of one channel (H, W) with mean 0 and standard deviation 1.

    Both are of the pixels of the image in the crop; what is padded is 0 and does not count.
    The deviation is that of the population (divided by n). A channel of one value becomes 0.
    """
    inside = take_crop(np.ones(channel.shape, np.bool_), corner, size, False)
    values = take_crop(channel.astype(np.float64), corner, size, 0.0)
    deviation = values[inside].std()
    centered = np.where(inside, values - values[inside].mean(), 0.0)
    if deviation == 0:
        return np.zeros((size, size), np.float32)
    return np.asarray(centered / deviation, np.float32)


def _start(center: float, length: int, size: int) -> int:
    if length <= size:
        return (length - size) // 2
    return min(max(round(center - (size - 1) / 2), 0), length - size)
