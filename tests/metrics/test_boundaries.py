from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segmint.errors import InputError, UsageError
from segmint.metrics.boundaries import BoundaryCounts, boundary_counts, boundary_f
from segmint.metrics.boundary_pixels import boundary_pixels

SEGMENTS = hnp.arrays(np.int32, (6, 7), elements=st.integers(0, 2))


def halves(column: int, size: tuple[int, int] = (40, 60)) -> np.ndarray:
    labels = np.zeros(size, np.int32)
    labels[:, column:] = 1
    return labels


@given(SEGMENTS)
def test_equal_segments_are_perfect(segments: np.ndarray) -> None:
    for masks in (segments, [segments, segments + 4]):
        score = boundary_f(segments, masks)
        assert math.isnan(score) if np.unique(segments).size == 1 else score == 1


@given(SEGMENTS, SEGMENTS)
def test_numbers_of_segments_do_not_matter(labels: np.ndarray, mask: np.ndarray) -> None:
    one = boundary_counts(labels, mask, tolerance=0.2)
    assert one == boundary_counts(7 - 3 * labels, 2 * mask + 1, tolerance=0.2)


@given(SEGMENTS, SEGMENTS)
def test_counts_of_one_annotator_are_those_of_one_matching(
    labels: np.ndarray, mask: np.ndarray
) -> None:
    counts = boundary_counts(labels, mask, tolerance=0.2)
    assert counts.found == boundary_pixels(labels).sum()
    assert counts.truth == boundary_pixels(mask).sum()
    assert counts.found_matched == counts.truth_matched


@pytest.mark.parametrize(("shift", "expected"), [(0, 1), (2, 1), (3, 0), (9, 0)])
def test_the_tolerance_is_a_share_of_the_diagonal(shift: int, expected: float) -> None:
    """Of 72.1 pixels, of which 0.04 are 2.9."""
    assert boundary_f(halves(20 + shift), halves(20), tolerance=0.04) == expected


def test_a_pixel_is_right_for_any_annotator_and_wanted_by_all() -> None:
    labels = halves(20)
    counts = boundary_counts(labels, [halves(20), halves(40), halves(21)], tolerance=0.03)
    assert counts == BoundaryCounts(found=40, found_matched=40, truth=120, truth_matched=80)
    assert counts.precision == 1
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f_score == pytest.approx(0.8)


def test_wrong_boundaries_cost_precision() -> None:
    labels = halves(20)
    labels[:, 40:] = 2
    counts = boundary_counts(labels, halves(20))
    assert (counts.precision, counts.recall) == (0.5, 1)
    assert counts.f_score == pytest.approx(2 / 3)


def test_no_boundaries() -> None:
    blank = np.zeros((5, 6), np.int32)
    drawn = halves(3, (5, 6))
    assert math.isnan(boundary_f(blank, blank))
    assert boundary_f(drawn, blank) == boundary_f(blank, drawn) == 0
    assert math.isnan(boundary_counts(blank, drawn).precision)
    assert math.isnan(boundary_counts(drawn, blank).recall)


def test_counts_add_up() -> None:
    one = boundary_counts(halves(20), halves(20))
    other = boundary_counts(halves(20), halves(40))
    assert (one + other).f_score == 0.5
    assert one + BoundaryCounts() == one


def test_boundaries_beside_pixels_that_do_not_count_are_left_out() -> None:
    labels, mask = halves(20), halves(40)
    mask[:, 15:25] = 255
    assert boundary_counts(labels, mask).found == 0
    assert boundary_counts(labels, mask, ignore_index=None).found == 40
    labels[:, 35:45] = -1
    assert boundary_counts(labels, mask) == BoundaryCounts()


def test_bad_input() -> None:
    labels = halves(20)
    with pytest.raises(InputError, match="same size"):
        boundary_f(labels, labels[1:])
    with pytest.raises(InputError, match="accepted are integers"):
        boundary_f(labels * 0.5, labels)
    with pytest.raises(InputError, match="one image H x W"):
        boundary_f(labels[None], labels[None])
    with pytest.raises(UsageError, match="tolerance is 2"):
        boundary_f(labels, labels, tolerance=2)
