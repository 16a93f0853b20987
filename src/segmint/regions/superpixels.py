"""Small superpixels that follow the edges of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST = 1_000_000
"""Pixels that superpixels are sought on; a larger image is reduced, and they are enlarged."""


def small_superpixels(
    image: NDArray[np.float32], *, scale: float, min_size: int = 20
) -> NDArray[np.int64]:
    """Superpixels of Felzenszwalb and Huttenlocher (IJCV 59, 2004).

    Args:
        image: (H, W, C) in 0..1.
        scale: larger values give larger superpixels.
        min_size: fewest pixels of one.

    Returns:
        (H, W) integers from 0.
    """
    from skimage.segmentation import felzenszwalb

    step = int(np.ceil(np.sqrt(image.shape[0] * image.shape[1] / LARGEST)))
    reduced = _block_means(image, step) if step > 1 else image
    labels = felzenszwalb(reduced, scale=scale, sigma=0.8, min_size=min_size, channel_axis=-1)
    if step > 1:
        labels = labels.repeat(step, axis=0).repeat(step, axis=1)
        labels = np.pad(labels, [(0, step)] * 2, mode="edge")[: image.shape[0], : image.shape[1]]
    return np.asarray(labels, dtype=np.int64)


def _block_means(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    height, width = image.shape[0] // step, image.shape[1] // step
    blocks = image[: height * step, : width * step].reshape(height, step, width, step, -1)
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3))
    return means
