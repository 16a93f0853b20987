"""Small superpixels that follow the edges of an image."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from segmint.regions.working_size import WorkingGrid

LARGEST = 1_000_000
"""Pixels that superpixels are sought on; those of a larger image are refined along its edges."""


def small_superpixels(
    image: NDArray[np.float32], *, scale: float, min_size: int = 20
) -> NDArray[np.int32]:
    """Superpixels of Felzenszwalb and Huttenlocher (IJCV 59, 2004).

    Args:
        image: (H, W, C) in 0..1.
        scale: larger values give larger superpixels.
        min_size: fewest pixels of one.

    Returns:
        (H, W) integers from 0.
    """
    from skimage.segmentation import felzenszwalb

    height, width = image.shape[:2]
    everywhere = np.ones((height, width), np.bool_)
    grid = WorkingGrid.of((height, width), LARGEST)
    reduced = grid.means(image, everywhere)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got image with third dimension")  # channels they are
        labels = felzenszwalb(reduced, scale=scale, sigma=0.8, min_size=min_size, channel_axis=-1)
    return grid.full_labels(labels.astype(np.int32), reduced, image, everywhere)
