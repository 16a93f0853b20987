import numpy as np
import pytest

from segmint.regions.color import lab_image
from segmint.regions.working_size import WorkingGrid


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 3), (40, 60)])
def test_small_images_keep_their_size(shape: tuple[int, int]) -> None:
    assert WorkingGrid.of(shape, 2400).is_full


def test_pools_cover_the_image_evenly() -> None:
    grid = WorkingGrid.of((50, 70), 1000)
    assert grid.shape[0] * grid.shape[1] <= 1000
    for axis in (grid.rows, grid.columns):
        sizes = np.bincount(axis)
        assert sizes.min() >= 1
        assert np.ptp(sizes) <= 1


def test_means_agree_with_a_loop_and_leave_out_what_is_masked() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((11, 13, 2)).astype(np.float32)
    mask = rng.random((11, 13)) < 0.6
    grid = WorkingGrid.of((11, 13), 30)
    means = grid.means(image, mask)
    for row, column in np.ndindex(grid.shape):
        pool = np.ix_(grid.rows == row, grid.columns == column)
        inside = image[pool][mask[pool]]
        expected = inside.mean(axis=0) if len(inside) else 0
        np.testing.assert_allclose(means[row, column], expected, rtol=1e-5, atol=1e-7)


def test_boundaries_move_on_to_the_edges_of_the_full_image() -> None:
    image = np.zeros((30, 300, 1), np.float32)
    image[:, 153:] = 1
    mask = np.ones((30, 300), bool)
    grid = WorkingGrid.of((30, 300), 90)
    working = grid.means(image, mask)
    labels = (working[..., 0] > 0.5).astype(np.int32)
    full = grid.full_labels(labels, working, image, mask)
    np.testing.assert_array_equal(full, image[..., 0].astype(np.int32))


def test_full_labels_are_minus_one_outside_the_mask_only() -> None:
    mask = np.random.default_rng(0).random((20, 20)) < 0.3
    grid = WorkingGrid.of((20, 20), 50)
    image = np.zeros((20, 20, 1), np.float32)
    working_mask = grid.pooled(np.maximum, mask)
    labels = np.where(working_mask, 0, -1).astype(np.int32)
    full = grid.full_labels(labels, grid.means(image, mask), image, mask)
    np.testing.assert_array_equal(full, np.where(mask, 0, -1))


def test_grey_and_color_become_lab() -> None:
    mask = np.ones((1, 2), bool)
    grey = lab_image(np.array([[[0.0], [1.0]]], np.float32), mask)
    np.testing.assert_allclose(grey, [[[0, 0, 0], [100, 0, 0]]], atol=0.01)
    red = lab_image(np.array([[[1.0, 0, 0], [1, 1, 1]]], np.float32), mask)
    np.testing.assert_allclose(red[0, 0], [53.24, 80.09, 67.2], atol=0.1)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 100])
def test_channels_of_any_scale_are_brought_to_the_range_of_lightness(channels: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(20, 20, 1)) * np.logspace(0, 4, channels)
    lab = lab_image(image.astype(np.float32), np.ones((20, 20), bool))
    assert lab.shape == (20, 20, 3)
    assert np.quantile(lab[..., 0], [0.01, 0.99]) == pytest.approx([0, 100], abs=2)
    assert np.abs(np.corrcoef(lab[..., 0].ravel(), image[..., 0].ravel())[0, 1]) > 0.95


def test_pixels_outside_the_mask_take_the_nearest_value_inside() -> None:
    image = np.array([[[0.2], [0.9], [0.9]]], np.float32)
    lab = lab_image(image, np.array([[True, False, False]]))
    np.testing.assert_array_equal(lab[0, 1:], lab[0, :1].repeat(2, axis=0))
