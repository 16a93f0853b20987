"""Simple points: pixels that can change sides without changing the topology of a slice."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.neighborhoods import neighborhoods


@functools.cache
def simple_points() -> NDArray[np.bool_]:
    """(256,) whether a pixel with that neighborhood is simple, whichever side it is on.

    The interior is 4-connected and its background 8-connected. A pixel is simple when exactly one
    4-connected piece of the interior among its eight neighbors touches it by an edge, and exactly
    one 8-connected piece of the background touches it (Bertrand and Malandain, "A new
    characterization of three-dimensional simple points", Pattern Recognition Letters 15, 1994).

    Example:
        >>> table = simple_points()  # lone pixel, pixel on a straight border, neck of a cell
        >>> table[[0b00000000, 0b00111110, 0b00100010]].tolist()
        [False, True, False]
    """
    return np.array(
        [
            _pieces(ring, diagonal=False) == 1 and _pieces(~ring, diagonal=True) == 1
            for ring in neighborhoods()
        ]
    )


def _pieces(ring: NDArray[np.bool_], *, diagonal: bool) -> int:
    """Pieces among the neighbors that touch the pixel.

    Along the ring, neighbors follow each other by an edge, so that the pieces are runs; odd places
    are edge neighbors. Two edge neighbors of a corner touch diagonally past that corner.
    """
    if diagonal:
        ring = ring.copy()
        corners = np.arange(0, 8, 2)
        ring[corners] |= ring[corners - 1] & ring[corners + 1]
    if ring.all():
        return 1
    start = int(np.flatnonzero(~ring)[0])
    runs = np.flatnonzero(np.roll(ring, -start))
    pieces = np.split(runs, np.flatnonzero(np.diff(runs) > 1) + 1) if runs.size else []
    return sum(1 for run in pieces if diagonal or np.any((run + start) % 2 == 1))
