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


@pytest.mark.parametrize("method", ["z-score", "min-max", "percentile"])
@pytest.mark.parametrize("power", [-1040, -1000, -700, -400, 400, 530, 900, 1020])
def test_scale_does_not_matter(method: str, power: int) -> None:
    whole = np.random.default_rng(1).integers(-7, 8, (30, 20, 2)).astype(np.float64)
    scaled = np.stack([np.ldexp(whole[..., 0], power), whole[..., 1]], axis=-1)
    np.testing.assert_allclose(normalize(scaled, method), normalize(whole, method), rtol=1e-6)
    counts = np.arange(1, 31)
    expected = channel_map(whole[:, 0], method, counts)(whole[:, 0])
    found = channel_map(scaled[:, 0], method, counts)(scaled[:, 0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e160, 1e300])
def test_z_scores_of_extreme_values(scale: float) -> None:
    values = np.random.default_rng(0).normal(size=(20, 30)) * scale
    found = normalize(values, "z-score")
    np.testing.assert_allclose([found.mean(), found.std()], [0, 1], atol=1e-6)


@pytest.mark.parametrize("method", ["min-max", "percentile", "z-score"])
def test_a_range_beyond_float64(method: str) -> None:
    values = np.repeat([-1.7e308, 0.0, 1.7e308], 20).reshape(6, 10)
    expected = normalize(np.repeat([-1.0, 0.0, 1.0], 20).reshape(6, 10), method)
    np.testing.assert_allclose(normalize(values, method), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "method", "says"),
    [
        ([0.0, 1e39], "none", "values up to 1e\\+39 in magnitude, accepted with --normalization n"),
        ([-1e300, 5.0], "none", "about 1e-30 to 1e30: rescale the image"),
        ([1e-60, 3e-60], "none", "values up to 3e-60"),
        ([*np.linspace(0, 1e-310, 300), 1.0], "percentile", "--normalization percentile"),
    ],
)
def test_values_that_are_lost(values: list[float], method: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        normalize(np.array([values]), method)


@pytest.mark.parametrize("method", ["none", "z-score", "min-max", "percentile"])
def test_large_values_outside_do_not_matter(method: str) -> None:
    spoilt = PIXELS.copy()
    spoilt[~REGION] = 1.7e308
    found = normalize(spoilt, method, REGION)
    np.testing.assert_array_equal(found[REGION], normalize(PIXELS, method, REGION)[REGION])
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", ["z-score", "min-max", "percentile"])
@pytest.mark.parametrize(
    ("dtype", "base"),
    [("uint64", 2**64 - 400), ("int64", 2**63 - 400), ("int64", -(2**63)), (">u8", 2**63)],
)
def test_large_integers_keep_their_differences(method: str, dtype: str, base: int) -> None:
    steps = np.random.default_rng(2).permutation(400).reshape(20, 20)
    values = np.array([base + step for step in steps.ravel().tolist()], dtype).reshape(20, 20)
    expected = normalize(steps.astype(np.float64), method)
    np.testing.assert_allclose(normalize(values, method), expected, rtol=1e-6, atol=1e-6)
    region = steps > 100
    expected = normalize(steps.astype(np.float64), method, region)
    found = normalize(values, method, region)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_integers_over_the_whole_range() -> None:
    values = np.array([[-(2**63), 0, 2**63 - 1]], np.int64)
    np.testing.assert_allclose(normalize(values, "min-max")[..., 0], [[0, 0.5, 1]])


def test_normalization_that_is_no_name() -> None:
    with pytest.raises(UsageError, match="unknown normalization None"):
        normalize(PIXELS, None)  # type: ignore[arg-type]
