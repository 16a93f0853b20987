"""Thinning lines to a width of one pixel.

Guo and Hall, "Parallel thinning with two-subiteration algorithms", Communications of the ACM 32(3),
1989, algorithm A1, as the BSDS benchmark thins boundaries. Only pixels of lines whose neighbors
changed are looked at again, which makes it many times as fast as filtering whole images.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.neighborhoods import neighbor_offsets, neighborhood_codes, neighborhoods


def thin(lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Peel lines from both sides until nothing can go without breaking or shortening them.

    Args:
        lines: (H, W).

    Returns:
        (H, W), a part of the lines with the same 8-connected pieces.

    Example:
        >>> thin(np.ones((3, 6), bool)).astype(int).tolist()
        [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    """
    padded = np.pad(lines, 1)
    flat, offsets = padded.ravel(), neighbor_offsets(padded.shape[1])
    every = np.flatnonzero(flat)
    # What either half of a round has to look at: pixels whose neighbors changed since it did.
    waiting = [every, every]
    while waiting[0].size or waiting[1].size:
        for half, goes in enumerate(_tables()):
            some = waiting[half]
            gone = some[goes[neighborhood_codes(flat, some, offsets)]]
            flat[gone] = False
            around = (gone[:, None] + offsets).ravel()
            other = np.concatenate([waiting[1 - half], around])
            waiting[half] = np.unique(around[flat[around]])
            waiting[1 - half] = np.unique(other[flat[other]])
    return padded[1:-1, 1:-1]


@functools.cache
def _tables() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(256,) each: whether a pixel with that neighborhood goes, in either half of a round."""
    north_west, north, north_east, east, south_east, south, south_west, west = neighborhoods().T
    clockwise = [east, south_east, south, south_west, west, north_west, north, north_east]
    pairs = range(0, 8, 2)
    crossings = sum(
        (~clockwise[i] & (clockwise[i + 1] | clockwise[(i + 2) % 8])).astype(int) for i in pairs
    )
    first = sum((clockwise[i] | clockwise[i + 1]).astype(int) for i in pairs)
    second = sum((clockwise[i + 1] | clockwise[(i + 2) % 8]).astype(int) for i in pairs)
    fewer = np.minimum(first, second)
    may_go = (crossings == 1) & (fewer >= 2) & (fewer <= 3)
    return (
        may_go & ~((north | north_east | ~south_east) & east),
        may_go & ~((south | south_west | ~north_west) & west),
    )
