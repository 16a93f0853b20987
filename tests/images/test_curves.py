"""Charts as pictures: what is drawn is looked for in the pixels."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.errors import InputError
from segmint.images import color_of
from segmint.images.curves import _apart, draw_curve

LABEL = "negative log-likelihood (nats per pixel)"
BLUE, VERMILION = color_of(0), color_of(3)


def drawn(rows: list[dict[str, Any]], *series: str) -> npt.NDArray[np.uint8]:
    content = draw_curve(rows, series=series, label=LABEL)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return np.array(Pillow.open(io.BytesIO(content)).convert("RGB"))


def found(picture: npt.NDArray[np.uint8], color: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return np.asarray((picture == np.array(color, np.uint8)).all(axis=-1))


def test_a_falling_line_falls_from_left_to_right() -> None:
    rows = [{"iteration": i, "nll": 5.0 - i} for i in range(6)]
    picture = drawn(rows, "nll")
    assert picture.shape == (540, 900, 3)
    assert picture[0, 0].tolist() == [255, 255, 255]
    heights, places = np.nonzero(found(picture, BLUE))
    assert np.corrcoef(heights, places)[0, 1] > 0.99
    assert np.ptp(places) > 600


def test_a_single_point_shows() -> None:
    blue = found(drawn([{"iteration": 3, "nll": 5.0}], "nll"), BLUE)
    assert 40 < blue.sum() < 200


def test_gaps_stay_open_and_a_value_between_them_is_a_dot() -> None:
    values = [1, 1, math.nan, 1, None, 1, 1]
    rows: list[dict[str, Any]] = [{"iteration": i, "a": value} for i, value in enumerate(values)]
    del rows[4]["a"]
    columns = found(drawn(rows, "a"), BLUE).any(axis=0)
    starts = np.count_nonzero(columns[1:] & ~columns[:-1])
    assert starts == 3


def test_each_line_is_named_in_its_color_at_its_end() -> None:
    rows = [{"iteration": i, "a": 1.0, "b": 2.0 - 0.999 * i / 9} for i in range(10)]
    alone, both = drawn(rows, "a"), drawn(rows, "a", "b")
    named = both[:, 850:]
    assert not found(alone, VERMILION).any()
    upper = np.nonzero(found(named, VERMILION))[0]
    lower = np.nonzero(found(named, BLUE))[0]
    assert upper.max() < lower.min()


def test_the_same_rows_give_the_same_file() -> None:
    rows = [{"iteration": 0, "a_b": 1.0, "$x": 2.0}, {"iteration": 1, "a_b": 2.0, "$x": 2.0}]
    charts = {draw_curve(rows, series=["a_b", "$x"], label="$ (%)") for _ in range(2)}
    assert len(charts) == 1


@pytest.mark.parametrize("rows", [[], [{"iteration": 1, "a": math.nan}], [{"a": 1.0}]])
def test_nothing_to_draw(rows: list[dict[str, float]]) -> None:
    with pytest.raises(InputError, match="no finite value of a by iteration"):
        draw_curve(rows, series=["a"], label=LABEL)


@given(st.lists(st.floats(0, 1), max_size=8).map(sorted))
def test_names_lie_a_step_apart_and_move_only_where_they_must(places: Sequence[float]) -> None:
    moved = _apart(places, 0.1)
    assert len(moved) == len(places)
    assert all(after - before > 0.0999 for before, after in itertools.pairwise(moved))
    if all(b - a > 0.1001 for a, b in itertools.pairwise(places)):
        assert moved == pytest.approx(list(places))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-9)
