"""Reference: the formula written out a channel at a time, or scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from segmint.errors import InputError, UsageError
from segmint.images import display_rgb, normalize, to_unit_range
from segmint.images.normalization import channel_map

RANDOM = np.random.default_rng(8)
PIXELS = RANDOM.normal([10, -200, 3], [1, 50, 0.1], (12, 9, 3))
REGION = RANDOM.random((12, 9)) > 0.4


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_unit_range_of_pictures(dtype: str) -> None:
    high = np.iinfo(dtype).max
    values = np.array([[0, 1, high // 2, high]], dtype)
    found = to_unit_range(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values / high, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint32", "float32", "float64"])
def test_unit_range_of_other_types(dtype: str) -> None:
    values = np.array([[-5, 0, 20]]).astype(dtype) if dtype[0] != "u" else np.array([[5, 10, 30]])
    found = to_unit_range(values.astype(dtype))
    np.testing.assert_allclose(found, [[0, 0.2, 1]], rtol=1e-6)
    within = np.array([[0.25, 0.5]]).astype(dtype)
    np.testing.assert_array_equal(to_unit_range(within), within.astype(np.float32))


def test_unit_range_of_odd_values() -> None:
    found = to_unit_range(np.array([np.nan, 2.0, 4.0, np.inf, -np.inf]))
    np.testing.assert_array_equal(found, [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(to_unit_range(np.full(3, 7.0)), 0)
    np.testing.assert_array_equal(to_unit_range(np.full(3, np.nan)), 0)
    assert to_unit_range(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("with_region", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
def test_normalizations(with_region: bool, dtype: str) -> None:
    pixels = PIXELS.astype(dtype)
    region = REGION if with_region else None
    inside = pixels[REGION] if with_region else pixels.reshape(-1, 3)
    found = {name: normalize(pixels, name, region) for name in ("z-score", "min-max", "percentile")}
    for channel in range(3):
        one, values = pixels[..., channel].astype(float), inside[:, channel].astype(float)
        expected = stats.zmap(one, values)
        np.testing.assert_allclose(found["z-score"][..., channel], expected, rtol=1e-4, atol=1e-5)
        bounds = {
            "min-max": (values.min(), values.max()),
            "percentile": tuple(stats.scoreatpercentile(values, [1, 99])),
        }
        for name, (low, high) in bounds.items():
            expected = np.clip((one - low) / (high - low), 0, 1)
            np.testing.assert_allclose(found[name][..., channel], expected, atol=1e-5)
    assert all(result.dtype == np.float32 for result in found.values())


@pytest.mark.parametrize("method", ["none", "z-score", "min-max", "percentile"])
@pytest.mark.parametrize("value", [0.0, 0.1, -3e9])
def test_constant_channels_are_safe(method: str, value: float) -> None:
    found = normalize(np.full((5, 7, 2), value), method)
    np.testing.assert_array_equal(found, np.float32(value) if method == "none" else 0)


@pytest.mark.parametrize("method", ["none", "z-score", "min-max", "percentile"])
def test_what_is_outside_does_not_matter(method: str) -> None:
    spoilt = PIXELS.copy()
    spoilt[~REGION] = np.nan
    clean = normalize(PIXELS, method, REGION)
    found = normalize(spoilt, method, REGION)
    np.testing.assert_array_equal(found[REGION], clean[REGION])
    assert np.isfinite(found).all()
    with pytest.raises(InputError, match="NaN"):
        normalize(spoilt, method)


def test_shapes_and_errors() -> None:
    assert normalize(PIXELS[..., 0]).shape == (12, 9, 1)
    assert normalize(np.stack([PIXELS, PIXELS]), "z-score").shape == (2, 12, 9, 3)
    with pytest.raises(UsageError, match="did you mean 'z-score'"):
        normalize(PIXELS, "zscore")
    with pytest.raises(InputError, match=r"region has shape \(9, 12\)"):
        normalize(PIXELS, "none", REGION.T)
    with pytest.raises(InputError, match="marks no pixel"):
        normalize(PIXELS, "none", np.zeros_like(REGION))


class TestDisplay:
    def test_8_bit_pictures_stay(self) -> None:
        color = RANDOM.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        np.testing.assert_array_equal(display_rgb(color), color)
        np.testing.assert_array_equal(display_rgb(color[..., 0]), color[..., [0, 0, 0]])

    def test_unit_floats_stay(self) -> None:
        color = RANDOM.random((4, 5, 3))
        np.testing.assert_array_equal(display_rgb(color), np.rint(color * 255))

    @pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "float32"])
    @pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
    def test_everything_else_can_be_seen(self, dtype: str, channels: int) -> None:
        dim = RANDOM.integers(100, 300, (30, 20, channels)).astype(dtype)
        shown = display_rgb(dim)
        assert shown.shape == (30, 20, 3) and shown.dtype == np.uint8
        assert shown.min() == 0 and shown.max() == 255

    def test_stretch_follows_the_percentiles(self) -> None:
        values = RANDOM.integers(0, 4000, (40, 50)).astype(np.uint16)
        low, high = stats.scoreatpercentile(values.ravel(), [0.5, 99.5])
        expected = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)
        np.testing.assert_allclose(display_rgb(values)[..., 0], expected, atol=1)

    def test_two_channels_are_magenta_and_green(self) -> None:
        shown = display_rgb(np.array([[[900, 0], [0, 700]]], np.uint16))
        np.testing.assert_array_equal(shown, [[[255, 0, 255], [0, 255, 0]]])

    def test_components_are_uncorrelated(self) -> None:
        mixed = RANDOM.normal(size=(50, 60, 3)) @ RANDOM.normal(size=(3, 6))
        correlation = np.corrcoef(display_rgb(mixed).reshape(-1, 3), rowvar=False)
        assert np.abs(correlation - np.eye(3)).max() < 0.1

    @pytest.mark.parametrize("channels", [1, 2, 3, 5])
    def test_odd_values(self, channels: int) -> None:
        assert display_rgb(np.full((3, 3, channels), np.nan)).max() == 0
        assert display_rgb(np.full((3, 3, channels), 7, np.int16)).max() == 0
        spot = np.zeros((40, 40, channels))
        spot[3, 4], spot[0, 0] = 5, np.inf
        assert display_rgb(spot)[3, 4].max() == 255


@pytest.mark.parametrize("method", ["none", "z-score", "percentile", "min-max"])
def test_counted_values_are_as_good_as_repeated_ones(method: str) -> None:
    generator = np.random.default_rng(3)
    values = generator.integers(0, 200, (60, 3)).astype(np.float64)
    counts = generator.integers(1, 9, 60)
    expected = channel_map(np.repeat(values, counts, axis=0), method)
    found = channel_map(values, method, counts)
    np.testing.assert_allclose(found.offset, expected.offset, rtol=1e-12)
    np.testing.assert_allclose(found.slope, expected.slope, rtol=1e-12)


def test_small_differences_of_large_values_count() -> None:
    values = 1e9 + np.random.default_rng(0).normal(size=(200, 1))
    found = normalize(values.reshape(10, 20, 1), "z-score")
    np.testing.assert_allclose([found.mean(), found.std()], [0, 1], atol=1e-3)
