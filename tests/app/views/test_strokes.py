"""Strokes become ids of pixels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.app.views.strokes import checked_strokes, draw_strokes, save_scribbles, write_scribbles
from segmint.errors import InputError
from segmint.images.masks import read_masks

WIDTH, HEIGHT = 60, 40


def stroke(index: int = 0, width: float = 6.0, *points: list[float]) -> dict[str, Any]:
    return {"id": index, "width": width, "points": list(points) or [[20.0, 20.0]]}


def drawn(*strokes: dict[str, Any]) -> np.ndarray:
    blank = np.full((HEIGHT, WIDTH), 255, np.uint8)
    return draw_strokes(checked_strokes(list(strokes), WIDTH, HEIGHT), blank)


def distances(points: list[list[float]]) -> np.ndarray:
    """(H, W) distance of the middle of each pixel to a line through points."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    best = np.full((HEIGHT, WIDTH), np.inf)
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[-1]], strict=True):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = ((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / (length or 1)
        along = np.clip(along, 0, 1)
        best = np.minimum(
            best, np.hypot(columns - ax - along * (bx - ax), rows - ay - along * (by - ay))
        )
    return best


PLACES = st.lists(
    st.tuples(st.floats(-20, 80), st.floats(-20, 60)).map(list), min_size=1, max_size=5
)


@settings(max_examples=60)
@given(PLACES, st.floats(2, 20))
def test_pixels_within_half_a_width_of_the_line_have_its_id(
    points: list[list[float]], width: float
) -> None:
    ids = drawn(stroke(3, width, *points))
    away = distances(points)
    assert (ids[away < width / 2 - 1.2] == 3).all()
    assert (ids[away > width / 2 + 1.5] == 255).all()


def test_thin_strokes_leave_a_closed_line() -> None:
    ids = drawn(stroke(1, 0.5, [5.5, 5.5], [30.5, 12.5]))
    assert ids[5, 5] == ids[12, 30] == 1
    assert set(np.flatnonzero((ids == 1).any(axis=0))) == set(range(5, 31))


def test_later_strokes_lie_over_earlier_ones_and_255_erases() -> None:
    ids = drawn(stroke(0, 20), stroke(1, 10), stroke(255, 4))
    assert [ids[20, 20], ids[20, 23], ids[20, 28], ids[0, 0]] == [255, 1, 0, 255]
    assert set(np.unique(ids)) == {0, 1, 255}


def test_the_file_is_what_the_command_line_reads(tmp_path: Path) -> None:
    out = tmp_path / "scribbles.png"
    strokes = [stroke(0), stroke(19, 4.0, [40.0, 10.0])]
    assert write_scribbles(strokes, None, WIDTH, HEIGHT, out) == [0, 19]
    ids = read_masks(out, ignore_index=None, colors=False)[0]
    np.testing.assert_array_equal(ids, drawn(*strokes))
    with Pillow.open(out) as picture:
        assert (picture.mode, picture.size) == ("P", (WIDTH, HEIGHT))


def test_strokes_over_a_file(tmp_path: Path) -> None:
    base = np.full((HEIGHT, WIDTH), 255, np.uint8)
    base[:5] = 7
    save_scribbles(base, tmp_path / "base.png")
    ids = write_scribbles(
        [stroke(255, 4.0, [30.0, 2.0])], tmp_path / "base.png", WIDTH, HEIGHT, tmp_path / "out.png"
    )
    assert ids == [7]
    written = np.asarray(Pillow.open(tmp_path / "out.png"))
    assert written[2, 30] == 255
    assert written[2, 5] == 7
    assert write_scribbles([], None, WIDTH, HEIGHT, tmp_path / "out.png") == []


@pytest.mark.parametrize("base", ["other size", "text", "gone"])
def test_a_base_that_cannot_be_used(tmp_path: Path, base: str) -> None:
    file = tmp_path / "base.png"
    if base == "other size":
        save_scribbles(np.zeros((3, 4), np.uint8), file)
    elif base == "text":
        file.write_text("no picture")
    with pytest.raises(InputError):
        write_scribbles([], file, WIDTH, HEIGHT, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "told",
    [
        None,
        "strokes",
        7,
        {"id": 0},
        [None],
        ["stroke"],
        [{}],
        [stroke(20)],
        [stroke(-1)],
        [stroke(254)],
        [{**stroke(), "id": True}],
        [{**stroke(), "id": "0"}],
        [{**stroke(), "id": 1.0}],
        [{**stroke(), "id": "9" * 10_000}],
        [stroke(0, 0.0)],
        [stroke(0, -3.0)],
        [stroke(0, math.nan)],
        [stroke(0, math.inf)],
        [stroke(0, 61.0)],
        [{**stroke(), "width": "wide"}],
        [{**stroke(), "points": []}],
        [{**stroke(), "points": "xy"}],
        [{**stroke(), "points": None}],
        [{**stroke(), "points": {"x": 1}}],
        [{**stroke(), "points": [[1]]}],
        [{**stroke(), "points": [[1, 2, 3]]}],
        [{**stroke(), "points": [[1, None]]}],
        [{**stroke(), "points": [[1, math.nan]]}],
        [{**stroke(), "points": [[1, 1e300]]}],
        [{**stroke(), "points": [[1, True]]}],
        [{**stroke(), "points": ["12"]}],
        [stroke()] * 2001,
        [{**stroke(), "points": [[1.0, 1.0]] * 200_001}],
    ],
)
def test_what_is_no_stroke_is_refused_in_one_sentence(told: Any) -> None:
    with pytest.raises(InputError) as refused:
        checked_strokes(told, WIDTH, HEIGHT)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


def test_more_paint_than_can_be_drawn_is_refused() -> None:
    wide = {"id": 0, "width": 3000.0, "points": [[1.0, 1.0]] * 200}
    with pytest.raises(InputError, match="too wide and too many"):
        checked_strokes([wide], 4000, 3000)
