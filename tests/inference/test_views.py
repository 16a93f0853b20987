from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import UsageError
from segmint.images.window import Window
from segmint.inference.views import View, Views

SQUARE = np.arange(12).reshape(3, 4)
BOTH = Views(flips=True, rotations=True)


def seen(views: Views) -> set[bytes]:
    """What is seen of an image without symmetry."""
    return {str(view.turned(SQUARE).tolist()).encode() for view in views}


def expected(*pictures: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> set[bytes]:
    return {str(picture.tolist()).encode() for picture in pictures}


def test_the_image_itself_is_always_there() -> None:
    assert list(Views()) == [View()]
    assert next(iter(Views(flips=True, scales=(0.5,)))) == View()


def test_flips() -> None:
    pictures = [SQUARE, SQUARE[::-1], SQUARE[:, ::-1], SQUARE[::-1, ::-1]]
    assert seen(Views(flips=True)) == expected(*pictures)
    assert len(Views(flips=True)) == 4


def test_rotations() -> None:
    pictures = [np.rot90(SQUARE, turns) for turns in range(4)]
    assert seen(Views(rotations=True)) == expected(*pictures)
    assert len(Views(rotations=True)) == 4


def test_together_they_are_the_eight_ways_to_lay_a_picture() -> None:
    fronts = [np.rot90(SQUARE, turns) for turns in range(4)]
    assert seen(BOTH) == expected(*fronts, *(picture[::-1] for picture in fronts))
    assert len(BOTH) == 8


def test_each_scale_is_seen_in_all_ways() -> None:
    views = list(Views(flips=True, scales=(0.5, 1.0, 2.0)))
    assert len(views) == len(set(views)) == 12
    assert {view.scale for view in views} == {0.5, 1.0, 2.0}


@pytest.mark.parametrize("scale", [0.0, -1.0, 0.05, 11.0, float("nan"), float("inf")])
def test_scales_out_of_range(scale: float) -> None:
    with pytest.raises(UsageError, match=r"accepted is 0\.1 to 10"):
        Views(scales=(scale,))


@given(data=st.data())
def test_windows_are_where_their_pixels_are(data: st.DataObject) -> None:
    height, width = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    right = data.draw(st.integers(left + 1, width))
    window = Window(top=top, bottom=bottom, left=left, right=right)
    image = np.arange(height * width).reshape(height, width)
    for view in BOTH:
        place = view.window(window, height, width)
        turned = view.turned(image)[place.slices]
        assert np.array_equal(turned, view.turned(image[window.slices]))
        assert view.window_back(place, height, width) == window
        assert np.array_equal(view.turned_back(turned[np.newaxis])[0], image[window.slices])


def test_views_differ() -> None:
    for first, second in itertools.combinations(BOTH, 2):
        assert not np.array_equal(first.turned(SQUARE), second.turned(SQUARE))
