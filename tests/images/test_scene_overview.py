"""Overviews. Reference: means by brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from segmint.images import open_scene, overview
from segmint.images.array_scene import ArrayScene

NOISE = np.random.default_rng(4).integers(0, 256, (61, 83, 3), dtype=np.uint8)


def means(pixels: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    """Of each square of pixels, those that are not finite left out."""
    height, width = (-(-n // factor) for n in pixels.shape[:2])
    picture = np.zeros((height, width, pixels.shape[2]))
    for row in range(height):
        for column in range(width):
            rows = slice(row * factor, (row + 1) * factor)
            part = pixels[rows, column * factor : (column + 1) * factor].reshape(-1, 3)
            good = part[np.isfinite(part).all(axis=1)]
            picture[row, column] = good.mean(axis=0) if len(good) else 0
    return picture


@given(
    longest=st.integers(1, 100),
    height=st.integers(1, 61),
    width=st.integers(1, 83),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "uint64", "float32"]),
)
def test_means_of_blocks(longest: int, height: int, width: int, dtype: str) -> None:
    pixels = NOISE[:height, :width].astype(dtype)
    picture = overview(ArrayScene.of_array(pixels), longest)
    factor = -(-max(height, width) // longest)
    assert max(picture.shape[:2]) <= longest
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, means(pixels, factor), rtol=1e-6)


def test_what_cannot_be_read_does_not_count() -> None:
    pixels = NOISE.astype(np.float32)
    pixels[5:30, 7:21, 1] = np.nan
    picture = overview(ArrayScene.of_array(pixels, skip_bad=True), 10)
    np.testing.assert_allclose(picture, means(pixels, 9), rtol=1e-6)
    assert (picture == 0).any()


def test_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = np.stack([NOISE, 255 - NOISE])
    picture = overview(ArrayScene.of_array(stack, stack=True), 20, 1)
    np.testing.assert_allclose(picture, means(stack[1], 5), rtol=1e-6)
    monkeypatch.setattr("segmint.images.scene_overview._BAND_BYTES", 100)
    again = overview(ArrayScene.of_array(stack, stack=True), 20, 1)
    np.testing.assert_array_equal(picture, again)


@pytest.mark.parametrize(("longest", "level"), [(83, 0), (50, 1), (28, 1), (22, 2), (20, 2)])
def test_the_smallest_copy_that_is_large_enough_is_read(
    tmp_path: Path, longest: int, level: int
) -> None:
    path = tmp_path / "pyramid.tif"
    values = [10, 20, 30]
    with tifffile.TiffWriter(path) as writer:
        options: dict[str, Any] = {"photometric": "rgb", "tile": (16, 16), "compression": "zlib"}
        for number, value in enumerate(values):
            step = 2**number
            part = np.full((-(-61 // step), -(-83 // step), 3), value, np.uint8)
            kind = {"subifds": 2} if number == 0 else {"subfiletype": 1}
            writer.write(part, **kind, **options)
    with open_scene(path) as scene:
        picture = overview(scene, longest)
    factor = -(-83 // longest)
    assert picture.shape == (-(-61 // factor), -(-83 // factor), 3)
    assert (picture == values[level]).all()


@given(factor=st.integers(1, 9), step=st.integers(1, 5))
def test_a_copy_gives_means_of_the_same_places(factor: int, step: int) -> None:
    """A picture that changes linearly looks the same from a copy, to the width of its pixels."""
    rows, columns = np.mgrid[:60, :80]
    pixels = np.stack([rows, columns], axis=-1).astype(np.float32)
    scene = ArrayScene.of_array(pixels)
    small = pixels[: 60 // step * step, : 80 // step * step]
    small = small.reshape(60 // step, step, 80 // step, step, 2).mean(axis=(1, 3))
    expected = overview(scene, -(-80 // factor))
    scene.levels = (ArrayScene.of_array(small),)
    np.testing.assert_allclose(overview(scene, -(-80 // factor)), expected, atol=1.5 * step)
