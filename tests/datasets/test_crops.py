"""Crops. Reference: SciPy's center of mass, zscore, and padding by NumPy."""

from __future__ import annotations

import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import ndimage, stats

from segmint.datasets.crops import crop_corner, standardized, take_crop

REGIONS = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(region=REGIONS, size=st.integers(1, 14))
def test_the_crop_is_about_the_center_of_mass_and_inside(
    region: npt.NDArray[np.bool_], size: int
) -> None:
    assume(region.any())
    corner = crop_corner(region, size)
    for start, center, length in zip(
        corner, ndimage.center_of_mass(region), region.shape, strict=True
    ):
        if length <= size:
            assert start <= 0 and start + size >= length
            assert abs(-start - (size - length + start)) <= 1
        else:
            assert 0 <= start <= length - size
            off = start + (size - 1) / 2 - center
            assert abs(off) <= 0.5 or start in (0, length - size)
            assert abs(off) <= 0.5 or (off > 0) == (start == 0)


@given(
    array=arrays.arrays(np.int16, arrays.array_shapes(min_dims=2, max_dims=3, max_side=8)),
    corner=st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
    size=st.integers(1, 8),
)
def test_a_crop_is_a_part_of_the_padded_array(
    array: npt.NDArray[np.int16], corner: tuple[int, int], size: int
) -> None:
    assume(all(start < length for start, length in zip(corner, array.shape, strict=False)))
    assume(all(start + size > 0 for start in corner))
    margins = [(20, 20), (20, 20), (0, 0)][: array.ndim]
    padded = np.pad(array, margins, constant_values=-7)
    row, column = corner[0] + 20, corner[1] + 20
    expected = padded[row : row + size, column : column + size]
    np.testing.assert_array_equal(take_crop(array, corner, size, -7), expected)


def test_standardized_over_the_pixels_of_the_image_alone() -> None:
    channel = np.random.default_rng(0).integers(-500, 900, (9, 11)).astype(np.int16)
    inside = standardized(channel, (2, 3), 6)
    assert inside.dtype == np.float32
    expected = stats.zscore(channel[2:8, 3:9].astype(float), axis=None)
    np.testing.assert_allclose(inside, expected, rtol=1e-6)
    padded = standardized(channel, (-2, -1), 13)
    np.testing.assert_allclose(
        padded[2:11, 1:12], stats.zscore(channel.astype(float), axis=None), rtol=1e-6
    )
    assert not padded[:2].any() and not padded[:, 12:].any()


def test_a_flat_channel_is_zero() -> None:
    assert not standardized(np.full((5, 5), 7), (0, 0), 4).any()
