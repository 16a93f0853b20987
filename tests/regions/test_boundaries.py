import numpy as np
import pytest

from segmint.regions.boundaries import (
    SCALES,
    SMALLEST_SHARE,
    block_means,
    boundary_cues,
    boundary_strength,
    enlarge,
    histogram_gradient,
)
from segmint.regions.color import lab_image
from segmint.regions.cues import cue_channels, k_means, soft_histogram


def test_soft_histogram_keeps_mass_and_mean() -> None:
    values = np.random.default_rng(0).uniform(-3, 5, (6, 7)).astype(np.float32)
    shares = soft_histogram(values, -3, 5, bins=9)
    np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-5)
    centers = np.linspace(-3, 5, 9)
    np.testing.assert_allclose(np.tensordot(centers, shares, axes=1), values, atol=1e-4)


def test_k_means_finds_separate_clumps_and_survives_equal_points() -> None:
    rng = np.random.default_rng(0)
    clumps = np.array([[0, 0], [50, 0], [0, 50]], np.float32)
    points = (clumps[rng.integers(3, size=300)] + rng.normal(size=(300, 2))).astype(np.float32)
    found = k_means(points, 3, rng)
    order = np.lexsort(np.round(found / 50).T)
    np.testing.assert_allclose(found[order], clumps, atol=0.5)
    np.testing.assert_array_equal(k_means(np.ones((5, 2), np.float32), 4, rng), np.ones((4, 2)))


@pytest.mark.parametrize("scale", SCALES)
def test_gradient_is_zero_on_a_constant_and_peaks_at_a_step(scale: float) -> None:
    plane = np.zeros((40, 60), np.float32)
    assert histogram_gradient(np.stack([plane, 1 - plane]), scale).max() < 1e-6
    plane[:, 32:] = 1
    gradient = histogram_gradient(np.stack([plane, 1 - plane]), scale)
    assert abs(int(gradient[20].argmax()) - 31.5) <= 2
    # On the step both shares are one half and their slope is that of a Gaussian, 1 / sqrt(2 pi).
    expected = np.sqrt(2 / (2 * np.pi) / (0.5 + SMALLEST_SHARE))
    assert gradient[20].max() == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("scale", SCALES)
def test_gradient_of_the_transposed_channel_is_transposed(scale: float) -> None:
    channel = np.random.default_rng(0).random((3, 24, 40)).astype(np.float32)
    turned = histogram_gradient(channel.transpose(0, 2, 1), scale)
    np.testing.assert_allclose(turned.T, histogram_gradient(channel, scale), atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 12), (7, 9), (1, 1), (1, 5), (3, 2)])
def test_enlarged_block_means_keep_a_constant_and_the_shape(shape: tuple[int, int]) -> None:
    plane = np.full(shape, 2.5, np.float32)
    for step in (1, 2, 4):
        np.testing.assert_allclose(enlarge(block_means(plane, step), shape, step), plane)


def test_block_means_agree_with_a_loop() -> None:
    plane = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = [[plane[r : r + 2, c : c + 2].mean() for c in (0, 2, 4)] for r in (0, 2)]
    np.testing.assert_allclose(block_means(plane, 2), expected)


def test_strength_is_higher_on_an_edge_than_off_it() -> None:
    image = np.zeros((40, 40, 3), np.float32)
    image[:, 20:] = (0.9, 0.2, 0.1)
    lab = lab_image(image, np.ones((40, 40), bool))
    strength = boundary_strength(boundary_cues(cue_channels(lab, 0)))
    assert strength.shape == (40, 40)
    assert strength[:, 19:21].min() > 5 * strength[:, :4].max()
