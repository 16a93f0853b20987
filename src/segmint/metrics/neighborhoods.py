"""The eight neighbors of pixels as one code, for look-up tables of 256 neighborhoods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""Down and right, once around the pixel from its upper left: bit i of a code is step i."""


def neighbor_offsets(width: int) -> NDArray[np.intp]:
    """(8,) steps as offsets of flat indices into rows of that many pixels."""
    return np.array([down * width + right for down, right in STEPS], np.intp)


def neighborhood_codes(
    flat: NDArray[np.bool_], pixels: NDArray[np.intp], offsets: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """(N,) code of the neighbors of each pixel.

    Args:
        flat: image with a margin of one pixel, flattened.
        pixels: (N,) flat indices off the margin.
        offsets: those of :func:`neighbor_offsets`.
    """
    bits = flat.view(np.uint8)
    codes = np.zeros(pixels.size, np.uint8)
    for bit, offset in enumerate(offsets):
        codes |= bits[pixels + offset] << np.uint8(bit)
    return codes


def neighborhoods() -> NDArray[np.bool_]:
    """(256, 8) the neighbors that each code stands for."""
    found: NDArray[np.bool_] = (np.arange(256)[:, None] >> np.arange(8)) % 2 == 1
    return found
