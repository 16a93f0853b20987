"""What a pixel looks like, as soft histograms: lightness, two color axes and texture.

A channel is an array (bins, H, W) whose bins sum to one at every pixel. Averages of it over a
window or a region are then histograms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.float32]

COLOR_BINS = 16
TEXTONS = 24
CHANNEL_SIZES = (COLOR_BINS, COLOR_BINS, COLOR_BINS, TEXTONS)
"""Bins of lightness, green-red, blue-yellow and texture."""

LIGHTNESS_RANGE = (0.0, 100.0)
COLOR_RANGE = (-50.0, 50.0)
LIGHTNESS_SMOOTHING, COLOR_SMOOTHING = 0.7, 1.0
"""Gaussian sigmas in pixels; color is noisier, above all in JPEG files."""
TEXTURE_SCALES = (1.0, 2.0)
TEXTON_SAMPLES = 3000
TEXTON_ITERATIONS = 12
TEXTON_SHARPNESS = 8.0
"""How quickly the membership of a texton falls with the squared distance to it."""


def cue_channels(lab: NDArray[np.float32], seed: int) -> list[Channel]:
    """The four channels of an image in Lab or Lab-like coordinates.

    Args:
        lab: (H, W, 3) lightness 0 to 100 and two color axes around 0.
        seed: of the sample of pixels that textons are learned from.
    """
    from scipy.ndimage import gaussian_filter

    lightness = gaussian_filter(lab[..., 0], LIGHTNESS_SMOOTHING)
    colors = [gaussian_filter(lab[..., axis], COLOR_SMOOTHING) for axis in (1, 2)]
    return [
        soft_histogram(lightness, *LIGHTNESS_RANGE),
        *(soft_histogram(color, *COLOR_RANGE) for color in colors),
        texton_channel(lab[..., 0], np.random.default_rng(seed)),
    ]


def soft_histogram(
    values: NDArray[np.float32], low: float, high: float, bins: int = COLOR_BINS
) -> Channel:
    """Share each value between the two bins whose centers it lies between.

    Args:
        values: (H, W), clipped to ``low..high``.
        low: center of the first bin.
        high: center of the last bin.
        bins: at least 2.
    """
    position = np.clip((values - low) / (high - low), 0, 1) * (bins - 1)
    centers = np.arange(bins, dtype=np.float32)[:, None, None]
    shares: Channel = np.maximum(0, 1 - np.abs(position[None] - centers)).astype(np.float32)
    return shares


def texton_channel(lightness: NDArray[np.float32], rng: np.random.Generator) -> Channel:
    """Soft membership in the textons of this image, (TEXTONS, H, W).

    Textons are the k-means centers of the responses to a small filter bank (Malik et al.,
    "Contour and texture analysis for image segmentation", IJCV 2001).

    Args:
        lightness: (H, W), 0 to 100.
        rng: draws the pixels to learn from.
    """
    responses = filter_bank(lightness)
    sample = rng.choice(len(responses), min(TEXTON_SAMPLES, len(responses)), replace=False)
    textons = k_means(responses[sample], TEXTONS, rng)
    distances = (textons**2).sum(1)[:, None] - 2 * textons @ responses.T
    distances -= distances.min(axis=0)
    membership = np.exp(-TEXTON_SHARPNESS * distances)
    membership /= membership.sum(axis=0)
    channel: Channel = membership.reshape(TEXTONS, *lightness.shape).astype(np.float32)
    return channel


def filter_bank(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edge energy in four directions and a spot filter at two scales, (H * W, 10).

    The length of each response vector is compressed to its logarithm (Weber's law; Varma and
    Zisserman, IJCV 2005, equation 2), so that texture is told by its kind before its contrast.

    Args:
        lightness: (H, W), 0 to 100.
    """
    from scipy.ndimage import gaussian_filter

    def derivative(scale: float, *order: int) -> NDArray[np.float32]:
        response: NDArray[np.float32] = gaussian_filter(lightness, scale, order=order, truncate=3.0)
        return response * scale ** sum(order)

    responses = []
    for scale in TEXTURE_SCALES:
        down, right = derivative(scale, 1, 0), derivative(scale, 0, 1)
        diagonals = [(right + down) * np.sqrt(0.5), (right - down) * np.sqrt(0.5)]
        responses += [np.abs(edge) for edge in (right, diagonals[0], down, diagonals[1])]
        responses.append(0.8 * (derivative(scale, 2, 0) + derivative(scale, 0, 2)))
    stacked = np.stack(responses, axis=-1).reshape(lightness.size, -1)
    length = np.linalg.norm(stacked, axis=1, keepdims=True)
    gain = np.log1p(length / 3) / np.maximum(length, 1e-3)
    compressed: NDArray[np.float32] = (stacked * gain).astype(np.float32)
    return compressed


def k_means(
    points: NDArray[np.float32], clusters: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Centers (clusters, D) of points (N, D): k-means++ seeding, then Lloyd's iterations.

    Args:
        points: at least one; fewer distinct points than clusters give repeated centers.
        clusters: at least 1.
        rng: draws the seeds.
    """
    centers = [points[rng.integers(len(points))]]
    distances = np.full(len(points), np.inf)
    for _ in range(clusters - 1):
        distances = np.minimum(distances, ((points - centers[-1]) ** 2).sum(axis=1))
        total = distances.sum(dtype=np.float64)
        chances = distances / total if total > 0 else None
        centers.append(points[rng.choice(len(points), p=chances)])
    found = np.array(centers)
    for _ in range(TEXTON_ITERATIONS):
        nearest = ((found**2).sum(axis=1) - 2 * points @ found.T).argmin(axis=1)
        counts = np.bincount(nearest, minlength=clusters)[:, None]
        sums = np.stack([np.bincount(nearest, axis, minlength=clusters) for axis in points.T], 1)
        found = np.where(counts > 0, sums / np.maximum(counts, 1), found).astype(np.float32)
    return found
