"""Boundary strength: how much the local histograms change at every pixel.

The probability of boundary of Martin, Fowlkes and Malik (PAMI 2004) and Arbelaez et al. (PAMI
2011) compares histograms of two half discs in eight orientations. Here the half discs are Gaussian
derivatives, so that the best orientation has a closed form and no orientation is enumerated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.regions.cues import Channel

SCALES = (1.5, 3.0, 6.0)
"""Gaussian sigmas in pixels of the working image."""

CUE_WEIGHTS = np.array(
    [
        [2.280, 0.527, 0.927],  # lightness at the three scales
        [0.475, 0.417, 0.373],  # green-red
        [0.943, 0.000, 0.688],  # blue-yellow
        [1.906, 0.000, 1.987],  # texture
    ]
)
"""Logistic regression of "an annotator drew a boundary within a pixel" on the twelve gradients at
random pixels of 40 photos of BSDS500 train and val, negative weights set to zero
(benchmarks/learn_merge_weights.py)."""

SMALLEST_SHARE = 1e-2
"""Added to a bin's share of the window, so that bins that are nearly empty do not dominate."""


def boundary_cues(channels: Sequence[Channel]) -> NDArray[np.float32]:
    """Histogram gradient of every channel at every scale, (channels, scales, H, W).

    Args:
        channels: (bins, H, W) each.
    """
    return np.array(
        [[histogram_gradient(channel, scale) for scale in SCALES] for channel in channels]
    )


def boundary_strength(cues: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weighted sum of the gradients, (H, W), 0 where nothing changes.

    Args:
        cues: (4, 3, H, W) from ``boundary_cues``.
    """
    return np.tensordot(CUE_WEIGHTS, cues, axes=2).astype(np.float32)


def histogram_gradient(channel: Channel, scale: float) -> NDArray[np.float32]:
    """Change of the local histogram across the direction in which it changes most, (H, W).

    With h_k the share of bin k in a Gaussian window, this is the root of the larger eigenvalue of
    ``J = scale^2 sum_k (grad h_k)(grad h_k)^T / h_k``: the chi-squared distance between the two
    sides, as a structure tensor (Di Zenzo, 1986, for the tensor of many channels).

    Args:
        channel: (bins, H, W).
        scale: sigma of the window; wide windows are computed on a coarser grid.
    """
    from scipy.ndimage import correlate1d, gaussian_filter

    step = 1 if scale < 2.5 else 2 if scale < 6 else 4
    sigma = scale / step
    slope = [-0.5 * sigma, 0, 0.5 * sigma]
    tensor_xx: NDArray[np.floating[Any]] = np.zeros(1, np.float32)
    tensor_xy, tensor_yy = tensor_xx, tensor_xx
    for plane in channel:
        window: NDArray[np.float32] = gaussian_filter(block_means(plane, step), sigma, truncate=3.0)
        along_x: NDArray[np.float32] = correlate1d(window, slope, axis=1)
        along_y: NDArray[np.float32] = correlate1d(window, slope, axis=0)
        weight = 1 / (window + SMALLEST_SHARE)
        tensor_xx = tensor_xx + weight * along_x**2
        tensor_xy = tensor_xy + weight * along_x * along_y
        tensor_yy = tensor_yy + weight * along_y**2
    half_trace = 0.5 * (tensor_xx + tensor_yy)
    spread = np.hypot(0.5 * (tensor_xx - tensor_yy), tensor_xy)
    gradient = np.sqrt(half_trace + spread).astype(np.float32)
    return enlarge(gradient, channel.shape[1:], step)


def block_means(plane: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means over blocks of step x step pixels, the last ones filled up with edge values."""
    if step == 1:
        return plane
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % step), (0, -width % step)), mode="edge")
    rows = padded.shape[0]
    means: NDArray[np.float32] = padded.reshape(rows // step, step, -1, step).mean(axis=(1, 3))
    return means


def enlarge(plane: NDArray[np.float32], shape: Sequence[int], step: int) -> NDArray[np.float32]:
    """Bilinear inverse of ``block_means`` to the given (H, W)."""
    for axis, size in enumerate(shape):
        if step == 1:
            break
        last = plane.shape[axis] - 1
        position = np.clip((np.arange(size) + 0.5) / step - 0.5, 0, last)
        before = np.minimum(position.astype(np.intp), max(last - 1, 0))
        share = (position - before).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        after = np.minimum(before + 1, last)
        plane = plane.take(before, axis) * (1 - share) + plane.take(after, axis) * share
    return plane
