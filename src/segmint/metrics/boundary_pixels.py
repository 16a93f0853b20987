"""Where the boundaries between segments are, as BSDS500 stores them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.thinning import thin


def boundary_pixels(segments: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Thinned boundaries of segments, for the truth and for predictions alike.

    They equal the ``Boundaries`` in the files of BSDS500 for the ``Segmentation`` beside them.

    Args:
        segments: (H, W) number of the segment of each pixel.

    Returns:
        (H, W), lines one pixel wide.

    Example:
        >>> boundary_pixels(np.array([[1, 1, 2, 2]] * 3)).astype(int).tolist()
        [[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
    """
    return thin(block_boundaries(segments))


def block_boundaries(segments: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels that are the upper left one of a block of 2 x 2 in which segments meet, (H, W).

    The blocks of the last row and column are cut off. A boundary between pixels thus lies at the
    pixel above it or left of it, which is how the benchmark reduces it to the size of the image.

    Example:
        >>> block_boundaries(np.array([[1, 1, 1], [1, 1, 2]])).astype(int).tolist()
        [[0, 1, 1], [0, 1, 0]]
    """
    found = np.zeros(segments.shape, np.bool_)
    across, down = segments[:, 1:] != segments[:, :-1], segments[1:] != segments[:-1]
    found[:, :-1] |= across
    found[:-1, :-1] |= across[1:]
    found[:-1] |= down
    found[:-1, :-1] |= down[:, 1:]
    return found


def touching_blocks(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The boundary pixels, (H, W), whose block touches one of the pixels.

    Args:
        pixels: (H, W).
    """
    found = pixels.copy()
    found[:, :-1] |= pixels[:, 1:]
    found[:-1] |= found[1:].copy()
    return found
