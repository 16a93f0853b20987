from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.datasets.augmentations import draw_placement
from segmint.datasets.placement import AffineMap, Window
from segmint.datasets.transform_options import AUGMENTATIONS

SHAPE = (40, 50)


@given(
    augmentation=st.sampled_from(AUGMENTATIONS),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    crop=st.integers(0, 50),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_output_has_the_size_that_was_asked(
    augmentation: str, height: int, width: int, crop: int, seed: int
) -> None:
    placement = draw_placement(augmentation, (height, width), crop, np.random.default_rng(seed))
    size = (crop, crop) if crop else (height, width)
    assert placement.mask(np.zeros((height, width), np.uint8)).shape == size
    assert placement.image(np.zeros((height, width, 2), np.uint8)).shape == (*size, 2)
    inside = placement.inside
    if inside is not None:
        assert inside.shape == size
        # A line of one pixel, made half as wide, may fall between those of the output.
        assert inside.any() or min(height, width) < 4


def test_every_crop_is_as_likely() -> None:
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(400):
        window = draw_placement("none", (12, 10), 8, rng)
        assert isinstance(window, Window)
        assert not window.mirrored
        corners.add(window.corner)
    assert corners == {(row, column) for row in range(5) for column in range(3)}


def test_a_small_image_lies_whole_inside_its_crop() -> None:
    rng = np.random.default_rng(0)
    for augmentation in ("none", "flip"):
        inside = draw_placement(augmentation, (5, 20), 8, rng).inside
        assert inside is not None
        assert inside.sum() == 5 * 8


def test_half_of_the_pictures_are_mirrored() -> None:
    rng = np.random.default_rng(1)
    ramp = np.tile(np.arange(50.0), (40, 1))
    for augmentation in ("flip", "isbi", "strong"):
        moved = [draw_placement(augmentation, SHAPE, 0, rng).mask(ramp) for _ in range(300)]
        falling = np.mean([picture[20, 15] > picture[20, 35] for picture in moved])
        assert 0.4 < falling < 0.6


def test_isbi_moves_as_little_as_published() -> None:
    rng = np.random.default_rng(2)
    center = (np.array(SHAPE) - 1) / 2
    greatest = np.zeros(2)
    for _ in range(300):
        placement = draw_placement("isbi", SHAPE, 0, rng)
        assert isinstance(placement, AffineMap)
        assert placement.repeats_border
        zooms = np.hypot(*placement.matrix[:, :2])
        assert np.all((zooms > 0.949) & (zooms < 1.051))
        # Rotation and shear are at most 0.2 and 0.05 degrees.
        assert abs(placement.matrix[0, 1]) < 1.05 * np.radians(0.25)
        shift = np.abs(placement.matrix @ [*center, 1] - center)
        greatest = np.maximum(greatest, shift)
    assert np.all(greatest < 0.0505 * np.array(SHAPE))
    assert np.all(greatest > 0.045 * np.array(SHAPE))


def test_small_movements_of_a_crop_stay_near_the_source() -> None:
    ramp = np.tile(np.arange(50.0), (40, 1))
    rng = np.random.default_rng(2)
    for _ in range(200):
        moved = draw_placement("isbi", SHAPE, 24, rng).mask(ramp)
        # Beyond its border, where shifts and zoom reach at most, the source repeats one column.
        assert len(np.unique(moved[12])) > 24 - 0.11 * 50


@pytest.mark.parametrize("crop", [0, 24])
def test_strong_scales_and_turns(crop: int) -> None:
    rng = np.random.default_rng(3)
    scales, angles = [], []
    for _ in range(300):
        placement = draw_placement("strong", SHAPE, crop, rng)
        assert isinstance(placement, AffineMap)
        (a, _, _), (b, _, _) = placement.matrix
        scales.append(1 / np.hypot(a, b))
        angles.append(np.degrees(np.arctan2(b, a)))
    assert 0.5 <= min(scales) < 0.52
    assert 1.9 < max(scales) <= 2.0
    assert 0.45 < np.mean(np.array(scales) < 1) < 0.55
    assert -10 <= min(angles) < -9
    assert 9 < max(angles) <= 10


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_the_same_random_numbers_move_alike(augmentation: str) -> None:
    mask = np.arange(2000).reshape(SHAPE)
    first, second = (
        draw_placement(augmentation, SHAPE, 24, np.random.default_rng(5)).mask(mask)
        for _ in range(2)
    )
    assert np.array_equal(first, second)
