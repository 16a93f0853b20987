from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from segmint.errors import InputError, UsageError
from segmint.metrics.instance_matching import (
    THRESHOLDS,
    aggregated_jaccard_index,
    average_precision,
    matched_pairs,
    overlaps,
    panoptic_quality,
)

Numbers = NDArray[np.int32]
LEVELS = st.sampled_from([0.05, 1 / 3, 0.5, 0.65, 0.95, 1.0])


@st.composite
def two_maps(draw: st.DrawFn) -> tuple[Numbers, Numbers]:
    shape = draw(st.sampled_from([(3, 4), (1, 8), (2, 2, 3)]))
    numbers = arrays(np.int32, shape, elements=st.integers(0, 4))
    return draw(numbers), draw(numbers)


def objects(array: Numbers) -> list[NDArray[np.bool_]]:
    return [array == number for number in np.unique(array) if number > 0]


def ious(labels: Numbers, mask: Numbers) -> NDArray[np.float64]:
    """Every found object by every true one, pair by pair."""
    found, true = objects(labels), objects(mask)
    table = [[(one & other).sum() / (one | other).sum() for other in true] for one in found]
    return np.array(table, dtype=np.float64).reshape(len(found), len(true))


def best_assignment(table: NDArray[np.float64], threshold: float) -> int:
    """As stardist and cellpose count hits: an assignment of the most pairs of enough IoU."""
    if not table.size:
        return 0
    fitting = table >= threshold
    rows, columns = linear_sum_assignment(-fitting.astype(float) - table / (2 * table.size))
    return int(fitting[rows, columns].sum())


def slow_index(labels: Numbers, mask: Numbers) -> float:
    """Algorithm 1 of Kumar et al., object by object."""
    found, used = objects(labels), set()
    shared = union = 0
    for true in objects(mask):
        scores = [
            ((one & true).sum() / (one | true).sum(), (one & true).sum(), -index)
            for index, one in enumerate(found)
        ]
        best = max(scores, default=(0.0, 0, 0))
        if best[0] == 0:
            union += true.sum()
            continue
        partner = -best[2]
        shared += (found[partner] & true).sum()
        union += (found[partner] | true).sum()
        used.add(partner)
    union += sum(one.sum() for index, one in enumerate(found) if index not in used)
    return float(shared / union) if union else math.nan


class TestMatchedPairs:
    @given(two_maps(), LEVELS)
    def test_as_the_best_assignment(self, maps: tuple[Numbers, Numbers], level: float) -> None:
        expected = best_assignment(ious(*maps), level)
        assert matched_pairs(overlaps(*maps), level) == expected

    def test_two_halves_of_an_object_are_one_hit(self) -> None:
        labels, mask = np.array([[1, 2, 0]]), np.array([[9, 9, 0]])
        assert overlaps(labels, mask).intersection_over_union.tolist() == [0.5, 0.5]
        assert matched_pairs(overlaps(labels, mask), 0.5) == 1

    def test_a_maximum_matching_beats_the_greedy_one(self) -> None:
        # Object 1 fits both true ones, and best the one that object 2 needs.
        labels = np.array([[1, 1, 1, 1, 2, 2]])
        mask = np.array([[5, 5, 6, 6, 6, 6]])
        assert matched_pairs(overlaps(labels, mask), 0.3) == 2

    @pytest.mark.parametrize("threshold", [0.0, 1.1, math.nan])
    def test_threshold_is_checked(self, threshold: float) -> None:
        with pytest.raises(UsageError, match="accepted is an IoU above 0 up to 1"):
            matched_pairs(overlaps([[1]], [[1]]), threshold)


class TestAveragePrecision:
    @given(two_maps())
    def test_by_hand(self, maps: tuple[Numbers, Numbers]) -> None:
        table = ious(*maps)
        if not sum(table.shape):
            assert math.isnan(average_precision(*maps))
            return
        hits = [best_assignment(table, level) for level in THRESHOLDS]
        ratios = [count / (sum(table.shape) - count) for count in hits]
        assert average_precision(*maps) == pytest.approx(np.mean(ratios), rel=1e-12)

    def test_closed_form(self) -> None:
        # IoU of .6 and of .8 of two objects each: hits fall by one after .6 and by two after .8.
        labels = np.array([[1] * 6 + [0] * 4 + [2] * 8 + [0] * 2])
        mask = np.array([[3] * 10 + [4] * 10])
        expected = (3 * (2 / 2) + 4 * (1 / 3) + 3 * 0) / 10
        assert average_precision(labels, mask) == pytest.approx(expected, rel=1e-12)

    def test_thresholds(self) -> None:
        assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


class TestAggregatedJaccardIndex:
    @given(two_maps())
    def test_by_hand(self, maps: tuple[Numbers, Numbers]) -> None:
        expected = slow_index(*maps)
        np.testing.assert_allclose(aggregated_jaccard_index(*maps), expected, rtol=1e-12)

    def test_a_found_object_may_be_the_partner_of_two(self) -> None:
        labels, mask = np.array([[1, 1, 1, 1]]), np.array([[5, 5, 6, 6]])
        assert aggregated_jaccard_index(labels, mask) == (2 + 2) / (4 + 4)

    def test_missed_and_spurious_objects_lower_it(self) -> None:
        labels, mask = np.array([[1, 1, 0, 0, 2]]), np.array([[5, 5, 6, 6, 0]])
        assert aggregated_jaccard_index(labels, mask) == 2 / (2 + 2 + 1)


class TestPanopticQuality:
    @given(two_maps())
    def test_by_hand(self, maps: tuple[Numbers, Numbers]) -> None:
        table = ious(*maps)
        hits = table[table > 0.5]
        found = panoptic_quality(*maps)
        assert (found.hits, found.spurious, found.missed) == (
            hits.size,
            table.shape[0] - hits.size,
            table.shape[1] - hits.size,
        )
        weight = hits.size + (found.spurious + found.missed) / 2
        expected = hits.sum() / weight if weight else math.nan
        np.testing.assert_allclose(found.quality, expected, rtol=1e-12)
        if hits.size:
            product = found.segmentation * found.recognition
            assert found.quality == pytest.approx(product, rel=1e-12)

    @given(two_maps(), two_maps())
    def test_images_add_up(
        self, first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers]
    ) -> None:
        both = panoptic_quality(*first) + panoptic_quality(*second)
        hits = [table[table > 0.5] for table in (ious(*first), ious(*second))]
        assert both.overlap == pytest.approx(sum(values.sum() for values in hits))
        assert both.hits == sum(values.size for values in hits)


@given(two_maps(), st.permutations(range(1, 5)))
def test_numbers_mean_nothing(maps: tuple[Numbers, Numbers], order: list[int]) -> None:
    labels, mask = maps
    renamed = np.array([0, *order])[mask]
    assert panoptic_quality(labels, mask) == panoptic_quality(labels, renamed)
    for level in THRESHOLDS:
        pairs = [matched_pairs(overlaps(labels, side), level) for side in (mask, renamed)]
        assert pairs[0] == pairs[1]


def test_what_is_not_counted_is_in_no_object() -> None:
    labels = np.array([[1, 1, -1, 2, 2, 3]])
    mask = np.array([[4, 255, 4, 255, 255, 0]])
    found = overlaps(labels, mask, ignore_index=255)
    assert (found.found.tolist(), found.true.tolist()) == ([1, 1], [1])
    assert found.shared.tolist() == [1]


def test_nothing_at_all() -> None:
    nothing = np.zeros((3, 3), np.int32)
    assert math.isnan(average_precision(nothing, nothing))
    assert math.isnan(aggregated_jaccard_index(nothing, nothing))
    assert math.isnan(panoptic_quality(nothing, nothing).quality)
    assert math.isnan(panoptic_quality(nothing, nothing).segmentation)
    ones = np.ones((3, 3), np.int32)
    assert average_precision(nothing, ones) == average_precision(ones, nothing) == 0
    assert aggregated_jaccard_index(nothing, ones) == 0


def test_floats_are_refused() -> None:
    with pytest.raises(InputError, match="accepted are integers"):
        overlaps(np.zeros((2, 2)), np.zeros((2, 2)))
