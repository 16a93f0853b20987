from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from segmint.reports.class_legend import class_entries, column_legend
from segmint.reports.class_picture import (
    UNCOUNTED,
    WRONG,
    class_picture,
    is_dim,
    mistake_picture,
    viewable,
)
from segmint.reports.legend import text_width

PALETTE = np.array([[0, 0, 0], [86, 180, 233], [230, 159, 0]], np.uint8)


def test_classes_have_exactly_the_colors_of_the_palette() -> None:
    image = np.full((4, 6, 3), 200, np.uint8)
    labels = np.array([[0, 1, 2] * 2] * 4, np.uint8)
    drawn = class_picture(image, labels, PALETTE, size=(4, 6))
    for number in (1, 2):
        assert (drawn[labels == number] == PALETTE[number]).all()


@pytest.mark.parametrize("light", [0, 40, 255])
@pytest.mark.parametrize("label", [0, UNCOUNTED])
def test_nothing_is_black(light: int, label: int) -> None:
    image = np.full((40, 40, 1), light, np.uint8)
    labels = np.full((40, 40), label, np.uint8)
    assert class_picture(image, labels, PALETTE, size=(40, 40)).max(axis=-1).min() > 20


def test_what_does_not_count_is_striped_and_looks_like_no_class() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    labels = np.full((32, 32), 1, np.uint8)
    labels[:16] = UNCOUNTED
    drawn = class_picture(image, labels, PALETTE, size=(32, 32))
    uncounted = drawn[:16].reshape(-1, 3)
    assert (uncounted == 255).all(axis=1).mean() == pytest.approx(0.25, abs=0.05)
    assert (uncounted.max(axis=1) == uncounted.min(axis=1)).all()
    assert (drawn[16:] == PALETTE[1]).all()


def test_mistakes_are_where_prediction_and_truth_differ_and_count() -> None:
    image = np.full((3, 4, 1), 90, np.uint8)
    truth = np.array([[0, 1, 2, UNCOUNTED]] * 3, np.uint8)
    labels = np.array([[0, 2, 2, 1]] * 3, np.uint8)
    drawn = mistake_picture(image, labels, truth, size=(3, 4))
    wrong = (drawn == WRONG).all(axis=-1)
    assert wrong.tolist() == [[False, True, False, False]] * 3


def test_larger_pictures_copy_pixels_and_smaller_ones_average_them() -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    labels = np.array([[1, 2] * 2] * 4, np.uint8)
    large = class_picture(image, labels, PALETTE, size=(8, 8))
    assert {tuple(color) for color in large.reshape(-1, 3).tolist()} == {
        tuple(color) for color in PALETTE[1:].tolist()
    }
    small = class_picture(image, labels, PALETTE, size=(2, 2))
    assert np.allclose(small, PALETTE[1:].mean(axis=0), atol=1)


def test_dim_images_are_brightened_and_others_left_alone() -> None:
    generator = np.random.default_rng(1)
    dim = generator.integers(0, 60, (20, 20, 3)).astype(np.uint8)
    assert viewable(dim).max() == 255
    assert is_dim(dim)
    light = generator.integers(0, 200, (20, 20, 3)).astype(np.uint8)
    assert np.array_equal(viewable(light), light)
    assert not is_dim(light)
    assert not is_dim(np.zeros((5, 5, 1), np.uint8))


def test_the_legend_names_what_is_shown_and_nothing_else() -> None:
    masks = [np.array([[0, 2]], np.uint8), np.array([[2, UNCOUNTED]], np.uint8)]
    entries = class_entries(masks, ["ground", "round", "long"], PALETTE)
    assert entries == [
        ("long", "#e69f00"),
        ("not counted (striped)", "#d9d9d9"),
        ("ground (not colored)", None),
    ]
    assert column_legend([], left=0, width=5, top=0) == []


@pytest.mark.parametrize("width", [3.0, 9.0])
def test_names_of_a_legend_do_not_overlap(width: float) -> None:
    entries: list[tuple[str, str | None]] = [
        (name * (1 + index % 7), "#123456") for index, name in enumerate(["road", "Gebäude"] * 15)
    ]
    lines = column_legend(entries, left=0.2, width=width, top=1.0)
    boxes = [
        (round(line.middle, 3), line.left, line.left + text_width(line.text, line.size))
        for line in lines
    ]
    for row in {middle for middle, _, _ in boxes}:
        inside = sorted((left, right) for middle, left, right in boxes if middle == row)
        assert all(right < after for (_, right), (after, _) in pairwise(inside))
        assert inside[-1][1] <= 0.2 + width
