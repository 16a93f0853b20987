from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from segmint.datasets.photometry import blurred, changed_light, sometimes_blurred


@pytest.mark.parametrize("channels", [1, 3, 13])
@pytest.mark.parametrize("sigma", [0.4, 1.2, 3.0])
def test_blurred_as_scipy_does(channels: int, sigma: float) -> None:
    pixels = np.random.default_rng(0).random((19, 27, channels), np.float32)
    reach = int(np.ceil(3 * sigma))
    expected = ndimage.gaussian_filter(pixels, sigma, axes=(0, 1), mode="nearest", radius=reach)
    assert np.allclose(blurred(pixels, sigma), expected, atol=1e-6)


def test_some_pictures_are_blurred() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.random((8, 8, 1), np.float32)
    same = [sometimes_blurred(pixels, rng) is pixels for _ in range(500)]
    assert 0.75 < np.mean(same) < 0.85


@pytest.mark.parametrize("channels", [1, 2, 13])
def test_light_changes_each_channel_by_a_line(channels: int) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(16, 20, channels)).astype(np.float32)
    for _ in range(20):
        changed = changed_light(pixels, rng)
        for channel in range(channels):
            before, after = pixels[..., channel].ravel(), changed[..., channel].ravel()
            gain, shift = np.polyfit(before, after, 1)
            assert np.allclose(after, gain * before + shift, atol=1e-4)
            assert 0.7 * 0.9 - 1e-3 < gain < 1.4 * 1.1 + 1e-3
            assert abs(shift) < 0.3 + 0.1 + 0.1


def test_units_do_not_matter() -> None:
    pixels = np.random.default_rng(2).random((16, 20, 3), np.float32)
    plain = changed_light(pixels, np.random.default_rng(7))
    larger = changed_light(pixels * 1000 + 500, np.random.default_rng(7))
    assert np.allclose(larger, plain * 1000 + 500, atol=0.1)


def test_an_even_picture_stays() -> None:
    pixels = np.full((8, 8, 2), 0.25, np.float32)
    assert np.allclose(changed_light(pixels, np.random.default_rng(0)), 0.25)
