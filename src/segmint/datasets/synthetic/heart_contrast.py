"""What each magnetic resonance sequence makes of the tissues of a made-up heart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.synthetic.heart_anatomy import TISSUES, Codes, Floats

SEQUENCES = ("C0", "T2", "LGE")
"""Balanced steady state, T2-weighted, and late gadolinium enhancement."""

_SIGNALS: dict[str, tuple[float, float, float]] = {
    "lung": (45, 38, 35),
    "liver": (135, 105, 120),
    "stomach": (170, 150, 85),
    "fat": (290, 70, 210),
    "chest muscle": (115, 95, 75),
    "right ventricle wall": (130, 135, 75),
    "right ventricle": (320, 100, 215),
    "aorta": (330, 60, 220),
    "blood pool": (320, 95, 225),
    "papillary muscle": (135, 135, 75),
    "myocardium": (130, 135, 70),
    "edema": (160, 215, 100),
    "scar": (155, 200, 280),
}
_SPREAD = 0.06
_TEXTURE = 0.10
_TEXTURE_PIXELS = 3.0
_BLUR_PIXELS = 0.7


def signal_table(generator: np.random.Generator) -> Floats:
    """(tissues, sequences) signal without noise, a little different in every person."""
    table = np.array([_SIGNALS[tissue] for tissue in TISSUES])
    return np.asarray(table * generator.normal(1, _SPREAD, table.shape))


def measured(
    codes: Codes,
    signals: Floats,
    *,
    factor: int,
    noise: float,
    field: Floats,
    generator: np.random.Generator,
) -> npt.NDArray[np.int16]:
    """One sequence of one slice: partial volume, texture, coil sensitivity and Rician noise.

    Args:
        codes: tissue of every sample, (factor * H, factor * W).
        signals: (tissues,) of this sequence.
        factor: samples a pixel along each axis.
        noise: standard deviation of the real and of the imaginary part.
        field: (H, W) that multiplies the signal.
        generator: for texture and noise.

    Returns:
        (H, W) magnitudes.
    """
    from scipy.ndimage import gaussian_filter

    signal = block_mean(signals.astype(np.float32)[codes], factor)
    texture = gaussian_filter(generator.normal(size=signal.shape), _TEXTURE_PIXELS)
    signal = gaussian_filter(signal, _BLUR_PIXELS) * (1 + _TEXTURE * texture / texture.std())
    real, imaginary = generator.normal(0, noise, (2, *signal.shape))
    return np.asarray(np.rint(np.hypot(signal * field + real, imaginary)), np.int16)


def coil_field(
    size: tuple[int, int], strength: float, generator: np.random.Generator
) -> npt.NDArray[Any]:
    """A smooth field (H, W) around 1, from about ``1 - strength`` to ``1 + strength``."""
    down, right = np.linspace(-1, 1, size[0])[:, np.newaxis], np.linspace(-1, 1, size[1])
    slope_down, slope_right, bow, twist = generator.normal(size=4) * (1, 1, 0.6, 0.6)
    field = (
        slope_down * down + slope_right * right + bow * (down**2 + right**2) + twist * down * right
    )
    field = field - field.mean()
    return np.asarray(np.exp(strength * field / np.abs(field).max()))


def block_mean(samples: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Mean of each ``factor`` x ``factor`` block."""
    rows, columns = (length // factor for length in samples.shape)
    blocks = samples.reshape(rows, factor, columns, factor)
    return np.asarray(blocks.mean(axis=1, dtype=np.float32).mean(axis=2))
