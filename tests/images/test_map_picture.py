"""Maps as pictures: what is drawn is looked for in the pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from scipy import ndimage

from segmint.errors import InputError
from segmint.images import OUTSIDE_COLOR
from segmint.images.map_picture import DOTS_PER_INCH, draw_map, scale_marks

WORDS: dict[str, Any] = {"title": "where they disagree", "label": "mutual information (bits)"}


def black(height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def color_at(share: float) -> list[int]:
    return [int(part) for part in colormaps["viridis"](share, bytes=True)[:3]]


def area(drawn: npt.NDArray[np.uint8], color: list[int]) -> tuple[int, slice, slice]:
    """Pixels, rows and columns of the largest patch of a color."""
    patches, _ = ndimage.label((drawn == np.array(color, np.uint8)).all(axis=-1))
    sizes = np.bincount(patches.ravel())
    largest = int(sizes[1:].argmax()) + 1
    rows, columns = ndimage.find_objects(patches)[largest - 1]
    return int(sizes[largest]), rows, columns


def halves(shape: tuple[int, int], low: float, high: float) -> npt.NDArray[np.float32]:
    values = np.full(shape, low, np.float32)
    values[:, shape[1] // 2 :] = high
    return values


def test_values_have_the_colors_of_their_place_on_the_scale() -> None:
    # 640 pixels are room for six pixels each.
    drawn = draw_map(black(100, 100), halves((100, 100), 0.2, 0.4), **WORDS)
    low, _, left = area(drawn, color_at(0.5))
    high, _, right = area(drawn, color_at(1.0))
    assert low == high == 600 * 300
    assert left.stop == right.start


def test_the_image_is_shown_in_grey_beside_the_map() -> None:
    picture = black(50, 50)
    picture[..., 1] = 200
    drawn = draw_map(picture, np.zeros((50, 50), np.float32), **WORDS)
    grey, rows, left = area(drawn, [round(0.587 * 200)] * 3)
    purple, beside, right = area(drawn, color_at(0.0))
    assert grey == purple == 600**2
    assert rows == beside
    assert left.stop < right.start


def test_a_wide_map_stands_below_its_image() -> None:
    drawn = draw_map(black(40, 100) + np.uint8(77), np.zeros((40, 100), np.float32), **WORDS)
    _, above, columns = area(drawn, [77] * 3)
    _, below, under = area(drawn, color_at(0.0))
    assert above.stop < below.start
    assert columns == under


def test_outside_the_region_the_map_is_grey_and_does_not_set_the_scale() -> None:
    inside = halves((100, 100), 1, 0) > 0
    drawn = draw_map(black(100, 100), halves((100, 100), 0.5, 9.0), **WORDS, inside=inside)
    assert area(drawn, list(OUTSIDE_COLOR))[0] == 600 * 300
    assert area(drawn, color_at(1.0))[0] == 600 * 300


def test_a_few_great_values_do_not_darken_the_others() -> None:
    values = np.full((100, 100), 0.4, np.float32)
    values[0, :20] = 8.0
    assert area(draw_map(black(100, 100), values, **WORDS), color_at(1.0))[0] == 600**2


def test_noise_about_zero_stays_dark_where_the_scale_has_a_least_end() -> None:
    values = np.full((60, 60), 1e-5, np.float32)
    drawn = draw_map(black(60, 60), values, **WORDS, least_top=0.1)
    assert area(drawn, color_at(0.0))[0] == 600**2


def test_reducing_takes_the_mean_of_the_values_and_not_of_their_colors() -> None:
    checkers = np.indices((1280, 1280)).sum(axis=0) % 2
    drawn = draw_map(black(1280, 1280), checkers.astype(np.float32), **WORDS)
    assert area(drawn, color_at(0.5))[0] == 640**2


@pytest.mark.parametrize("shape", [(1, 1), (9, 400), (400, 9), (3000, 20), (720, 960), (130, 97)])
def test_every_shape_fits_with_room_around(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape, np.float32)
    drawn = draw_map(black(*shape), values, **WORDS)
    edge = DOTS_PER_INCH // 16
    frame = np.concatenate([drawn[:edge].ravel(), drawn[-edge:].ravel()])
    sides = np.concatenate([drawn[:, :edge].ravel(), drawn[:, -edge:].ravel()])
    assert (sides == 255).all()
    assert (frame == 255).all()
    assert max(drawn.shape) <= 1650


@given(st.floats(1e-6, 1e6))
def test_a_scale_has_a_few_round_numbers_and_ends_at_or_just_above(top: float) -> None:
    marks = scale_marks(top)
    step = marks[1]
    assert marks[0] == 0
    assert 3 <= len(marks) <= 6
    assert np.allclose(np.diff(marks), step)
    assert top * (1 - 1e-5) <= marks[-1] < top + step
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)


def test_a_scale_of_nothing() -> None:
    assert scale_marks(0.0) == [0, 1]


def test_what_is_no_map_of_the_picture_is_refused() -> None:
    picture, values = black(4, 5), np.zeros((4, 5), np.float32)
    with pytest.raises(InputError, match=r"accepted is uint8 \(H, W, 3\)"):
        draw_map(picture[..., 0], values, **WORDS)
    with pytest.raises(InputError, match=r"values have shape \(3, 5\)"):
        draw_map(picture, values[:3], **WORDS)
    for wrong in (math.nan, math.inf, -1.0):
        with pytest.raises(InputError, match="finite numbers from 0 on"):
            draw_map(picture, np.full_like(values, wrong), **WORDS)
