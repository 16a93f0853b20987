from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmint.datasets.label_map import LabelMap
from segmint.errors import InputError

PATH = Path("mask.png")


@given(
    numbers=st.dictionaries(st.integers(0, 400), st.integers(0, 254), min_size=1, max_size=30),
    data=st.data(),
    dtype=st.sampled_from([np.uint8, np.uint16, np.int32]),
)
def test_each_value_by_the_mapping(
    numbers: dict[int, int], data: st.DataObject, dtype: type[np.integer]
) -> None:
    limit = 255 if dtype is np.uint8 else 400
    known = [value for value in numbers if value <= limit]
    if not known:
        return
    stored = data.draw(arrays(dtype, (4, 5), elements=st.sampled_from(known)))
    found = LabelMap.of(numbers, 255)(stored, PATH)
    assert found.dtype == np.uint8
    assert found.tolist() == [[numbers[value] for value in row] for row in stored.tolist()]


def test_colors() -> None:
    labels = LabelMap.of({0xFF0000: 0, 0x0000FF: 1}, 2, colored=True)
    stored = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    assert labels(stored, PATH).tolist() == [[0, 1]]
    with pytest.raises(InputError, match=r"color #00ff00 \(1 pixels\).* accepted are #0000ff, #f"):
        labels(stored[..., [1, 0, 2]], PATH)


def test_unknown_values_are_counted() -> None:
    labels = LabelMap.of({0: 0, 1: 1, 2: 2, 255: 255}, 3)
    stored = np.array([[0, 3, 3, 4, 5, 6, 7, 8]], np.uint8)
    words = (
        r"mask mask\.png holds the label 3 \(2 pixels\), 4 \(1 pixels\), .* and 1 more, which is "
        r"none of the 3 classes; accepted are 0 to 2, and 255 for what does not count"
    )
    with pytest.raises(InputError, match=words):
        labels(stored, PATH)


def test_colored_where_numbers_are() -> None:
    with pytest.raises(InputError, match=r"mask\.png is a color picture"):
        LabelMap.of({0: 0}, 1)(np.array([[[1, 2, 3]]], np.uint8), PATH)
