"""Random changes of light and sharpness, for any number of channels in any units.

Strengths are shares of the picture's own standard deviation, so that a picture of 8 bits, one of
16 bits and a normalized one change alike.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST, GREATEST_CONTRAST = 0.7, 1.4
BRIGHTNESS = 0.3
"""Shift of all channels, at most, either way, in standard deviations."""
CHANNEL_CONTRAST = 0.1
"""Further change of each channel on its own, at most, either way."""
CHANNEL_BRIGHTNESS = 0.1
"""Further shift of each channel, at most, either way, in standard deviations."""

BLUR_PROBABILITY = 0.2
LEAST_BLUR, GREATEST_BLUR = 0.4, 1.2
"""Standard deviation of the Gaussian in pixels."""

_STRIDE = 4
"""Every fourth pixel of every fourth row says enough about mean and deviation."""

Pixels = NDArray[np.float32]


def changed_light(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another contrast and brightness, a little different in each channel.

    Args:
        pixels: (h, w, C).
        rng: where all randomness comes from.
    """
    height, width, channels = pixels.shape
    looked_at = pixels[::_STRIDE, ::_STRIDE]
    mean, deviation = float(looked_at.mean()), float(looked_at.std())
    contrast = math.exp(rng.uniform(math.log(LEAST_CONTRAST), math.log(GREATEST_CONTRAST)))
    gains = contrast * rng.uniform(1 - CHANNEL_CONTRAST, 1 + CHANNEL_CONTRAST, channels)
    shifts = rng.uniform(-CHANNEL_BRIGHTNESS, CHANNEL_BRIGHTNESS, channels)
    shifts += rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    offsets = mean * (1 - gains) + deviation * shifts
    rows = pixels.reshape(height, -1) * np.tile(gains, width).astype(np.float32)
    rows += np.tile(offsets, width).astype(np.float32)
    return rows.reshape(pixels.shape)


def sometimes_blurred(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Blurred by a Gaussian, now and then."""
    if rng.random() >= BLUR_PROBABILITY:
        return pixels
    return blurred(pixels, rng.uniform(LEAST_BLUR, GREATEST_BLUR))


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Convolved with a Gaussian that ends at three deviations; the border goes on beyond it.

    Args:
        pixels: (h, w, C).
        sigma: standard deviation in pixels.
    """
    reach = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    return _convolved(_convolved(pixels, weights, axis=0), weights, axis=1)


def _convolved(pixels: Pixels, weights: NDArray[np.float32], *, axis: int) -> Pixels:
    reach, length = len(weights) // 2, pixels.shape[axis]
    margins = [(0, 0)] * pixels.ndim
    margins[axis] = (reach, reach)
    padded = np.pad(pixels, margins, mode="edge")
    before = (slice(None),) * axis
    total: Pixels = pixels * weights[reach]
    for step in range(reach):
        low = padded[(*before, slice(step, step + length))]
        high = padded[(*before, slice(2 * reach - step, 2 * reach - step + length))]
        total += (low + high) * weights[step]
    return total
