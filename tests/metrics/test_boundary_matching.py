from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from segmint.metrics.boundary_matching import candidate_pairs, matched_pixels

MAPS = hnp.arrays(bool, (6, 7), elements=st.sampled_from([False, False, True]))
PRICE = 1e4


def priced(distances: np.ndarray, limit: float) -> np.ndarray:
    """Costs with a high price for pixels left over, as the benchmark has them."""
    found, truth = distances.shape
    costs = np.full((found + truth, found + truth), PRICE)
    costs[:found, :truth] = np.where(distances <= limit, np.rint(100 * distances), 2 * PRICE)
    costs[found:, truth:] = 0
    return costs


def assigned(found: np.ndarray, truth: np.ndarray, limit: float) -> tuple[int, float]:
    """Number of pairs and sum of distances of the cheapest dense assignment."""
    points = np.argwhere(found), np.argwhere(truth)
    if not points[0].size or not points[1].size:
        return 0, 0.0
    distances = cdist(*points)
    costs = priced(distances, limit)
    rows, columns = linear_sum_assignment(costs)
    pairs = (rows < len(points[0])) & (columns < len(points[1]))
    pairs &= costs[rows, columns] < PRICE
    return int(pairs.sum()), float(costs[rows[pairs], columns[pairs]].sum())


@given(MAPS, MAPS, st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.3]))
def test_against_the_cheapest_dense_assignment(
    found: np.ndarray, truth: np.ndarray, limit: float
) -> None:
    matched = matched_pixels(found, truth, limit)
    count, cost = assigned(found, truth, limit)
    assert not (matched & ~found).any()
    assert matched.sum() == count
    # The pixels that were taken can be matched as cheaply as any.
    assert assigned(matched, truth, limit) == (count, cost)


@given(MAPS, st.sampled_from([0.0, 1.0, 4.3]))
def test_equal_maps_match_wholly(found: np.ndarray, limit: float) -> None:
    np.testing.assert_array_equal(matched_pixels(found, found, limit), found)


@given(MAPS, MAPS)
def test_numbers_are_the_same_the_other_way_around(found: np.ndarray, truth: np.ndarray) -> None:
    forth, back = matched_pixels(found, truth, 2), matched_pixels(truth, found, 2)
    assert forth.sum() == back.sum()


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_curves(first: int, second: int) -> None:
    """Lines such as boundaries are, where chains of candidates are long."""
    found, truth = (
        np.abs(ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((28, 30)), 3))
        < 0.01
        for seed in (first, second)
    )
    matched = matched_pixels(found, truth, 4.3)
    count, cost = assigned(found, truth, 4.3)
    assert matched.sum() == count
    assert assigned(matched, truth, 4.3) == (count, cost)


def test_candidates_are_the_pairs_within_the_distance() -> None:
    rng = np.random.default_rng(0)
    found, truth = rng.random((2, 12, 15)) < 0.3
    pairs = candidate_pairs(found, truth, 2.5).toarray()
    distances = cdist(np.argwhere(truth), np.argwhere(found))
    expected = np.where(distances <= 2.5, np.rint(100 * (1 + distances)), 0)
    np.testing.assert_array_equal(pairs, expected)


@pytest.mark.parametrize("limit", [0.0, 3.0])
def test_nothing_to_match(limit: float) -> None:
    nothing, something = np.zeros((4, 5), bool), np.eye(4, 5, dtype=bool)
    assert not matched_pixels(nothing, something, limit).any()
    assert not matched_pixels(something, nothing, limit).any()
    assert not matched_pixels(nothing, nothing, limit).any()
