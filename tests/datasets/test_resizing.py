from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from segmint.datasets.resizing import resized_image, resized_mask, size_with_shorter_side

SIDES = st.integers(1, 40)


def smooth(height: int, width: int, channels: int) -> NDArray[np.float64]:
    """Waves of 0 to 1, another one in each channel."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / (5 + k) + k) * np.cos(x / (7 + k)) for k in range(channels)]
    return np.asarray(np.stack(waves, axis=-1) / 2 + 0.5)


@given(height=SIDES, width=SIDES, side=SIDES)
def test_the_shorter_side_is_as_asked(height: int, width: int, side: int) -> None:
    found = size_with_shorter_side(height, width, side)
    assert min(found) == side
    assert abs(max(found) - side * max(height, width) / min(height, width)) < 1


@pytest.mark.parametrize("shape", [(375, 500), (500, 333), (281, 500), (234, 700)])
def test_an_image_is_resized_as_torchvision_does(shape: tuple[int, int]) -> None:
    from segmint.torchvision_operators import declare_operators

    declare_operators()
    from torchvision.transforms.v2 import functional

    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = functional.resize(torch.from_numpy(pixels).permute(2, 0, 1), [234])
    found = resized_image(pixels, size_with_shorter_side(*shape, 234))
    assert np.array_equal(found, expected.permute(1, 2, 0))


@pytest.mark.parametrize("size", [(30, 41), (77, 60), (120, 150)])
def test_an_image_is_resized_as_pillow_does(size: tuple[int, int]) -> None:
    pixels = np.rint(smooth(75, 90, 3) * 255).astype(np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR))
    found = resized_image(pixels, size)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("size", [(30, 41), (120, 150)])
def test_a_float_image_is_resized_as_pillow_does(size: tuple[int, int]) -> None:
    pixels = smooth(75, 90, 1).astype(np.float32)
    image = Image.fromarray(pixels[..., 0]).resize(size[::-1], Image.Resampling.BILINEAR)
    assert np.allclose(resized_image(pixels, size)[..., 0], np.asarray(image), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float16, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 4, 5, 13])
def test_channels_and_types_do_not_matter(channels: int, dtype: type) -> None:
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    reference = smooth(40, 50, channels)
    pixels = (reference * full).astype(dtype)
    found = resized_image(pixels, (25, 33))
    assert found.dtype == dtype
    expected = resized_image(reference, (25, 33))
    assert np.abs(found / full - expected).max() < 0.01


@given(height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES)
def test_of_a_mask_the_pixel_under_the_center_is_taken(
    height: int, width: int, new_height: int, new_width: int
) -> None:
    mask = np.arange(height * width).reshape(height, width)
    found = resized_mask(mask, (new_height, new_width))
    for row in range(new_height):
        for column in range(new_width):
            above = int((row + 0.5) * height / new_height + 1e-9)
            left = int((column + 0.5) * width / new_width + 1e-9)
            assert found[row, column] == mask[above, left]


def test_image_and_mask_shrink_alike() -> None:
    mask = np.zeros((90, 120), np.uint8)
    mask[31:, 47:] = 1
    image = (mask * 200)[..., np.newaxis]
    small = resized_image(image, (60, 80))[..., 0]
    assert np.array_equal(small > 100, resized_mask(mask, (60, 80)) == 1)


def test_read_only_pixels_are_taken() -> None:
    pixels = np.zeros((9, 8, 3), np.uint8)
    pixels.flags.writeable = False
    assert resized_image(pixels, (4, 4)).shape == (4, 4, 3)
