"""Any number of channels as three Lab-like ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROBUST_PERCENTILES = (1.0, 99.0)


def lab_image(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Lightness 0 to 100 and two color axes, (H, W, 3).

    Three channels within 0..1 are sRGB and one channel within 0..1 is grey; both become CIE Lab.
    Anything else is scaled robustly channel by channel and turned to its first three principal
    components. Pixels outside the mask take the value of the nearest pixel inside, so that the
    rim of the mask is no edge.

    Args:
        image: (H, W, C) without NaN.
        mask: (H, W), with at least one pixel.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.color import rgb2lab

    channels = image.shape[-1]
    inside = image[mask]
    if channels in (1, 3) and inside.min() >= 0 and inside.max() <= 1:
        rgb = np.broadcast_to(image, (*image.shape[:2], 3))
        lab: NDArray[np.float32] = rgb2lab(rgb).astype(np.float32)
    else:
        lab = principal_image(image, inside)
    if not mask.all():
        nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
        lab = lab[tuple(nearest)]
    return lab


def principal_image(image: NDArray[np.float32], inside: NDArray[np.float32]) -> NDArray[np.float32]:
    """First principal components, (H, W, 3), the first within 0 to 100 but for outliers.

    Args:
        image: (H, W, C).
        inside: (N, C) the pixels that count.
    """
    low, high = np.percentile(inside, ROBUST_PERCENTILES, axis=0)
    spread = np.where(high > low, high - low, 1)
    scaled = np.clip((inside - low) / spread, 0, 1)
    center = scaled.mean(axis=0)
    values, vectors = np.linalg.eigh((scaled - center).T @ (scaled - center))
    # The sign of an eigenvector is arbitrary: the channel that weighs most counts as positive.
    axes = vectors[:, np.argsort(values)[::-1][:3]]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    components = (scaled - center) @ axes
    low_first, high_first = np.percentile(components[:, 0], ROBUST_PERCENTILES)
    gain = 100 / (high_first - low_first) if high_first > low_first else 0.0
    everywhere = (np.clip((image - low) / spread, 0, 1) - center) @ axes
    lab = np.zeros((*image.shape[:2], 3), np.float32)
    lab[..., : axes.shape[1]] = everywhere * gain
    lab[..., 0] -= low_first * gain
    return lab
