from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from segmint.images.label_levels import halved, level_sizes


def one_by_one(stored: NDArray[np.uint8]) -> list[list[int]]:
    """The rule, pixel by pixel: most frequent of those inside, then the smallest."""
    rows = []
    for top in range(0, stored.shape[0], 2):
        row = []
        for left in range(0, stored.shape[1], 2):
            inside = [int(v) for v in stored[top : top + 2, left : left + 2].ravel() if v != 255]
            counts = Counter(inside)
            row.append(min(counts, key=lambda v: (-counts[v], v)) if counts else 255)
        rows.append(row)
    return rows


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=7),
        elements=st.sampled_from([0, 1, 2, 3, 254, 255]),
    )
)
def test_the_most_frequent_id_counts(stored: NDArray[np.uint8]) -> None:
    assert halved(stored).tolist() == one_by_one(stored)


def test_all_fours_of_few_ids() -> None:
    fours = np.stack(np.meshgrid(*[[0, 1, 2, 3, 255]] * 4, indexing="ij"), -1).reshape(-1, 2, 2)
    stored = np.concatenate(list(fours.astype(np.uint8)), axis=1)
    assert halved(stored).tolist() == one_by_one(stored)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_the_outside_of_wider_types(dtype: type[np.unsignedinteger]) -> None:
    outside = np.iinfo(dtype).max
    stored = np.array([[outside, outside, outside, 9], [outside, outside, 7, outside]], dtype)
    assert halved(stored).tolist() == [[outside, 7]]


def test_levels_end_with_one_tile() -> None:
    assert level_sizes(512, 40) == [(512, 40)]
    assert level_sizes(1, 513) == [(1, 513), (1, 257)]
