from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segmint.metrics.nearest_cells import nearest_cells


def distances_to(numbers: np.ndarray, at: tuple[int, int]) -> dict[int, int]:
    """Least squared distance of a pixel to each cell."""
    return {
        int(number): int(((np.argwhere(numbers == number) - at) ** 2).sum(axis=1).min())
        for number in np.unique(numbers[numbers > 0])
    }


@given(
    hnp.arrays(
        np.int32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=7),
        elements=st.sampled_from([0, 0, 0, 1, 2, 3]),
    ),
    st.integers(1, 8),
)
def test_against_all_distances(numbers: np.ndarray, step: int) -> None:
    """With few and with many pixels at once, which take different ways."""
    border = np.flatnonzero(numbers == 0)[::step]
    found = nearest_cells(numbers, border)
    for place, number in zip(border.tolist(), found.tolist(), strict=True):
        distances = distances_to(numbers, divmod(place, numbers.shape[1]))
        if not distances:
            assert number == 1
        else:
            assert distances[number] == min(distances.values())


@pytest.mark.parametrize("gap", [1, 7, 8, 9, 20])
def test_any_distance(gap: int) -> None:
    numbers = np.zeros((1, 200), np.int32)
    numbers[0, 50], numbers[0, 150] = 4, 9
    places = np.array([50 - gap, 50 + gap, 150 - gap, 150 + gap])
    assert nearest_cells(numbers, places).tolist() == [4, 4, 9, 9]


def test_large_and_small_ways_agree() -> None:
    numbers = (np.random.default_rng(0).random((60, 50)) < 0.02).astype(np.int32)
    numbers *= np.arange(1, numbers.size + 1).reshape(numbers.shape).astype(np.int32)
    border = np.flatnonzero(numbers == 0)
    at_once = nearest_cells(numbers, border)
    in_parts = np.concatenate([nearest_cells(numbers, part) for part in np.array_split(border, 9)])
    for place, one, other in zip(border, at_once, in_parts, strict=True):
        if one != other:
            distances = distances_to(numbers, divmod(int(place), numbers.shape[1]))
            assert distances[int(one)] == distances[int(other)]
