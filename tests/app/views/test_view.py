"""Views: sizes, labels as colors, and what stands upright."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow

from segmint.app.views.view import (
    label_png,
    nearest,
    picture_png,
    plane_of,
    read_label_png,
    upright_size,
    values_of,
    view_path,
    view_size,
    write_label_view,
)
from segmint.images import Image


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_a_view_has_at_most_two_million_pixels_and_the_shape_of_the_image(
    height: int, width: int
) -> None:
    h, w = view_size(height, width)
    assert 1 <= h <= height
    assert 1 <= w <= width
    assert h * w <= max(2_000_000, min(height, width))
    if height * width <= 2_000_000:
        assert (h, w) == (height, width)
    elif min(h, w) > 10:
        assert abs(h / w / (height / width) - 1) < 0.15


@given(
    arrays(
        np.int64,
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.integers(-1, 2**24 - 2),
    )
)
def test_labels_come_back_from_their_colors(labels: np.ndarray) -> None:
    assert read_label_png(label_png(labels)).tolist() == labels.tolist()
    with Pillow.open(io.BytesIO(label_png(labels))) as drawn:
        colors = np.asarray(drawn.convert("RGB")).astype(int)
    assert (colors @ [1, 256, 65536] - 1).tolist() == labels.tolist()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_nearest_takes_the_pixel_under_the_middle(h: int, w: int, height: int, width: int) -> None:
    plane = np.arange(height * width).reshape(height, width)
    taken = nearest(plane, (h, w))
    for row in range(h):
        for column in range(w):
            y, x = (2 * row + 1) * height // (2 * h), (2 * column + 1) * width // (2 * w)
            assert taken[row, column] == plane[y, x]


def test_a_large_picture_is_reduced_by_means() -> None:
    picture = np.zeros((2000, 2000, 3), np.uint8)
    picture[:, ::2] = 200
    with Pillow.open(io.BytesIO(picture_png(picture))) as drawn:
        assert drawn.size == view_size(2000, 2000)[::-1]
        assert abs(np.asarray(drawn).mean() - 100) < 1


def test_slices_stand_upright(tmp_path: Path) -> None:
    # Rows lead from feet to head: the picture has the head above.
    affine = np.array([[0, 0, 3.0, 0], [0, 2.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4, 1)
    image = Image(pixels=pixels, affine=affine)
    labels = pixels[..., 0].astype(np.int32)
    assert plane_of(image, 1)[..., 0].tolist() == values_of(image, labels, 1).tolist()
    assert values_of(image, labels, 1)[0].max() == labels[1].max()
    assert upright_size(image) == values_of(image, labels, 0).shape
    write_label_view(tmp_path, image, labels, 1)
    drawn = read_label_png(view_path(tmp_path, "labels", 1).read_bytes())
    np.testing.assert_array_equal(drawn, values_of(image, labels, 1))


def test_names_of_views() -> None:
    assert view_path(Path("v"), "map-class-3", 7) == Path("v/map-class-3-0007.png")
