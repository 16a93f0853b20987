from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from segmint.datasets.placement import AffineMap, Window

SHAPE = (23, 31)


def rotation(degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """About the first pixel, then shifted."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    linear = np.array([[cosine, -sine], [sine, cosine]]) / scale
    return np.column_stack([linear, shift])


@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.4, 2.5),
    shift=st.tuples(st.floats(-9, 30), st.floats(-9, 30)),
    channels=st.sampled_from([1, 3, 5]),
)
def test_an_affine_map_is_that_of_scipy(
    degrees: float, scale: float, shift: tuple[float, float], channels: int
) -> None:
    pixels = np.random.default_rng(0).random((*SHAPE, channels))
    matrix = rotation(degrees, scale, shift)
    placement = AffineMap(shape=SHAPE, size=(17, 20), matrix=matrix)
    found = placement.image(pixels)
    for channel in range(channels):
        expected = ndimage.affine_transform(
            pixels[..., channel],
            matrix[:, :2],
            matrix[:, 2],
            output_shape=(17, 20),
            order=1,
            mode="nearest",
        )
        assert np.allclose(found[..., channel], expected, atol=1e-6)


@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.4, 2.5),
    shift=st.tuples(st.floats(-9, 30), st.floats(-9, 30)),
)
def test_a_mask_is_moved_as_scipy_does(
    degrees: float, scale: float, shift: tuple[float, float]
) -> None:
    mask = np.random.default_rng(1).integers(0, 4, SHAPE, dtype=np.uint8)
    matrix = rotation(degrees, scale, shift)
    placement = AffineMap(shape=SHAPE, size=(17, 20), matrix=matrix)
    rows, columns = np.einsum(
        "ij,jhw->ihw", matrix, np.stack([*np.mgrid[:17, :20], np.ones((17, 20))])
    )
    expected = ndimage.map_coordinates(
        np.pad(mask, 40, mode="edge"), [np.rint(rows) + 40, np.rint(columns) + 40], order=0
    )
    near = (np.abs(rows - 11) < 40) & (np.abs(columns - 15) < 40)
    # Half way between two pixels either is the nearest.
    clear = (np.abs(rows % 1 - 0.5) > 1e-6) & (np.abs(columns % 1 - 0.5) > 1e-6) & near
    assert np.array_equal(placement.mask(mask)[clear], expected[clear])
    inside = placement.inside
    known = (rows > -0.5) & (rows < 22.5) & (columns > -0.5) & (columns < 30.5)
    found = np.ones((17, 20), np.bool_) if inside is None else inside
    assert np.array_equal(found[clear], known[clear])


def test_where_the_border_is_repeated_everything_is_known() -> None:
    matrix = rotation(30, 0.5, (-5, 3))
    placement = AffineMap(shape=SHAPE, size=SHAPE, matrix=matrix, repeats_border=True)
    assert placement.inside is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float16, np.float64])
def test_the_map_that_moves_nothing_changes_nothing(dtype: type) -> None:
    pixels = (np.random.default_rng(2).random((*SHAPE, 2)) * 100).astype(dtype)
    still = AffineMap(shape=SHAPE, size=SHAPE, matrix=np.eye(2, 3))
    assert np.allclose(still.image(pixels), pixels, atol=1e-3)
    assert still.inside is None


@given(
    corner=st.tuples(st.integers(-9, 12), st.integers(-9, 20)),
    side=st.integers(10, 40),
    mirrored=st.booleans(),
)
def test_a_window_is_the_affine_map_of_whole_pixels(
    corner: tuple[int, int], side: int, mirrored: bool
) -> None:
    rng = np.random.default_rng(3)
    pixels, mask = rng.random((*SHAPE, 2)), rng.integers(0, 9, SHAPE, dtype=np.uint8)
    window = Window(shape=SHAPE, corner=corner, side=side, mirrored=mirrored)
    across = [-1.0, corner[1] + side - 1] if mirrored else [1.0, corner[1]]
    matrix = np.array([[1.0, 0.0, corner[0]], [0.0, *across]])
    affine = AffineMap(shape=SHAPE, size=(side, side), matrix=matrix)
    inside = np.ones((side, side), np.bool_) if affine.inside is None else affine.inside
    assert (window.inside is None) == bool(inside.all())
    if window.inside is not None:
        assert np.array_equal(window.inside, inside)
    assert np.allclose(window.image(pixels)[inside], affine.image(pixels)[inside], atol=1e-6)
    assert np.array_equal(window.mask(mask)[inside], affine.mask(mask)[inside])


def test_a_window_without_a_side_is_everything() -> None:
    mask = np.arange(6).reshape(2, 3)
    window = Window(shape=(2, 3), corner=(0, 0), side=0, mirrored=True)
    assert window.mask(mask).tolist() == [[2, 1, 0], [5, 4, 3]]
    assert window.inside is None
