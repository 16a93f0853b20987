"""Overlapping tiles, and what each of them counts where they meet.

For networks in which every output looks at everything, so that no halo makes tiles exact. A tile
counts most in its middle: a Gaussian along each axis, as Isensee et al. (nnU-Net, Nature Methods
18, 2021) weigh theirs. Tiles lie at places of the whole image, so that an answer does not depend on
the window it is asked in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DEVIATION = 1 / 8
"""Of the Gaussian, of the side of a tile."""
_OVERLAP = 1 / 4
"""Of the side of a tile, what it shares with the next."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TileShare:
    """What a tile contributes to an axis of a window."""

    number: int
    start: int
    """Of the tile, along the whole axis."""
    inside: slice
    """Of the tile, what lies in the window."""
    place: slice
    """Of the window, where that is."""
    weights: NDArray[np.float32]
    """(n,) that sum to 1 with those of the other tiles."""


def tile_shares(length: int, tile: int, step: int, start: int, stop: int) -> Iterator[TileShare]:
    """The tiles along an axis that meet a window of it.

    Args:
        length: of the axis.
        tile: side of a tile.
        step: which tiles start at multiples of, where they are larger than it; the last one ends
            where the axis does.
        start: of the window.
        stop: end of the window.

    Example:
        >>> [(share.start, share.weights.tolist()) for share in tile_shares(8, 8, 2, 0, 2)]
        [(0, [1.0, 1.0])]
    """
    starts = tile_starts(length, tile, step)
    bell = _bell(min(tile, length))
    total = np.zeros(stop - start)
    found = []
    for number, first in enumerate(starts):
        low, high = max(first, start), min(first + len(bell), stop)
        if low >= high:
            continue
        inside, place = slice(low - first, high - first), slice(low - start, high - start)
        total[place] += bell[inside]
        found.append((number, first, inside, place))
    for number, first, inside, place in found:
        weights = (bell[inside] / total[place]).astype(np.float32)
        yield TileShare(number=number, start=first, inside=inside, place=place, weights=weights)


def tile_starts(length: int, tile: int, step: int) -> list[int]:
    """Where tiles begin along an axis.

    Example:
        >>> tile_starts(100, 64, 16), tile_starts(50, 64, 16)
        ([0, 36], [0])
    """
    if length <= tile:
        return [0]
    stride = int(tile * (1 - _OVERLAP))
    stride = stride // step * step if stride >= step else stride
    return [*range(0, length - tile, stride), length - tile]


def _bell(size: int) -> NDArray[np.float64]:
    places = (np.arange(size) - (size - 1) / 2) / (_DEVIATION * size)
    bell: NDArray[np.float64] = np.exp(-0.5 * places**2)
    return bell
