from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.scene_pixels import ScenePixels
from segmint.solvers.scene_sample import chosen_tiles, mosaic, sampled_values


def pixels_of(
    array: np.ndarray, region: np.ndarray | None = None, *, stack: bool = False
) -> ScenePixels:
    where = None
    if region is not None:
        where = ArrayScene.of_array(region.astype(np.uint8), stack=stack)
    return ScenePixels(scene=ArrayScene.of_array(array, stack=stack), region=where)


def numbered(height: int, width: int) -> np.ndarray:
    """Each pixel holds its own number."""
    return np.arange(height * width, dtype=np.int32).reshape(height, width, 1)


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    side=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    count=st.integers(1, 12),
    seed=st.integers(0, 5),
    bounded=st.booleans(),
)
def test_tiles_lie_inside_differ_and_hold_pixels_that_count(
    size: tuple[int, int], side: tuple[int, int], count: int, seed: int, bounded: bool
) -> None:
    region = np.zeros(size, bool)
    region[size[0] // 3 :, : size[1] // 2 + 1] = True
    tile = min(side[0], size[0]), min(side[1], size[1])
    pixels = pixels_of(numbered(*size), region if bounded else None)
    tiles = chosen_tiles(pixels, tile, count, seed)
    assert 1 <= len(tiles) <= count
    assert len(set(tiles)) == len(tiles)
    for plane, window in tiles:
        assert plane == 0
        assert window.size == tile
        assert window.within(*size) == window
        assert not bounded or region[window.slices].any()
    assert chosen_tiles(pixels, tile, count, seed) == tiles


def test_tiles_are_spread_evenly() -> None:
    tiles = chosen_tiles(pixels_of(numbered(256, 256)), (16, 16), 16, seed=3)
    quarters = {(window.top // 64, window.left // 64) for _, window in tiles}
    assert len(quarters) == 16  # a Z-order curve passes one quarter of a quarter after the other


def test_tiles_come_from_all_slices() -> None:
    stack = np.zeros((6, 32, 32, 1), np.uint8)
    tiles = chosen_tiles(pixels_of(stack, stack=True), (16, 16), 6, seed=0)
    assert {plane for plane, _ in tiles} == set(range(6))


def test_a_mosaic_holds_its_tiles_and_says_so() -> None:
    image = numbered(120, 200)
    sample = mosaic(pixels_of(image), most=4 * 32 * 32, tiles=4, seed=1)
    assert sample.counts is None
    assert sample.said == "4 tiles of 32x32 pixels, 17 % of the image"
    for tile in (
        sample.pixels[row : row + 32, column : column + 32, 0]
        for row in (0, 32)
        for column in (0, 32)
    ):
        top, left = divmod(int(tile[0, 0]), 200)
        np.testing.assert_array_equal(tile, image[top : top + 32, left : left + 32, 0])


def test_a_mosaic_that_is_not_full_counts_its_tiles_alone() -> None:
    sample = mosaic(pixels_of(numbered(64, 64)), most=3 * 32 * 32, tiles=3, seed=0)
    assert sample.counts is not None
    assert sample.counts.sum() == 3 * 32 * 32
    assert len(sample.inside()) == 3 * 32 * 32


def test_what_is_small_enough_is_taken_whole() -> None:
    image = numbered(20, 30)
    region = image[..., 0] % 3 == 0
    sample = mosaic(pixels_of(image, region), most=600, tiles=4, seed=0)
    np.testing.assert_array_equal(sample.pixels, image)
    np.testing.assert_array_equal(sample.counts, region)
    values = sampled_values(pixels_of(image, region), 600, seed=0)
    np.testing.assert_array_equal(values.inside(), image[region])


def test_sampled_values_lie_inside_the_region() -> None:
    image = numbered(300, 300)
    region = np.zeros((300, 300), bool)
    region[100:220, 40:90] = True
    values = sampled_values(pixels_of(image, region), 3 * 64 * 64, seed=0).inside()[:, 0]
    assert 0 < len(values) <= 3 * 64 * 64
    assert region.ravel()[values].all()


def test_pixels_that_cannot_be_read_are_left_out() -> None:
    image = np.ones((40, 40, 1), np.float32)
    image[:20] = np.nan
    pixels = ScenePixels(scene=ArrayScene.of_array(image, skip_bad=True))
    sample = mosaic(pixels, most=1600, tiles=4, seed=0)
    assert sample.counts is not None
    assert not sample.counts[:20].any()
    assert (sampled_values(pixels, 1600, seed=0).inside() == 1).all()


def test_an_empty_region_is_refused() -> None:
    pixels = pixels_of(numbered(40, 40), np.zeros((40, 40), bool))
    with pytest.raises(InputError, match="no pixel of the image counts"):
        mosaic(pixels, most=100, tiles=4, seed=0)
    with pytest.raises(InputError, match="no pixel of the image counts"):
        sampled_values(pixels, 10_000, seed=0)
