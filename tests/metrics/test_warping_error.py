from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from segmint.errors import InputError, UsageError
from segmint.metrics.warping_error import warp, warping_error

EIGHT = np.ones((3, 3))
SLICES = hnp.arrays(bool, (7, 8))
SMALL = hnp.arrays(bool, (3, 4))


def piece_counts(interior: np.ndarray) -> tuple[int, int]:
    """4-connected pieces of the interior, 8-connected ones of the background around it."""
    framed = np.pad(interior, 1)
    return ndimage.label(framed)[1], ndimage.label(~framed, EIGHT)[1]


def keeps_topology(interior: np.ndarray, at: tuple[int, int]) -> bool:
    """Whether flipping one pixel is simple, by labelling the pixels around it."""
    patch = np.pad(interior, 1)[at[0] : at[0] + 3, at[1] : at[1] + 3].copy()
    patch[1, 1] = False
    cells = ndimage.label(patch)[0]
    touching = {cells[0, 1], cells[1, 0], cells[1, 2], cells[2, 1]} - {0}
    background = ~patch
    background[1, 1] = False
    return len(touching) == 1 and ndimage.label(background, EIGHT)[1] == 1


def flipped(interior: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    changed = interior.copy()
    changed[at] = ~changed[at]
    return changed


def reachable(truth: np.ndarray, found: np.ndarray) -> dict[bytes, int]:
    """Every slice that single simple flips towards the prediction reach, with what is left."""
    open_, seen = [truth], {truth.tobytes(): int((truth != found).sum())}
    while open_:
        now = open_.pop()
        for row, column in np.argwhere(now != found).tolist():
            if keeps_topology(now, (row, column)):
                then = flipped(now, (row, column))
                if then.tobytes() not in seen:
                    seen[then.tobytes()] = int((then != found).sum())
                    open_.append(then)
    return seen


@given(SLICES, SLICES)
def test_topology_stays_and_nothing_more_can_be_done(truth: np.ndarray, found: np.ndarray) -> None:
    warped = warp(truth, found)
    assert piece_counts(warped) == piece_counts(truth)
    assert not ((warped != found) & (truth == found)).any()
    left = np.argwhere(warped != found).tolist()
    assert not any(keeps_topology(warped, (row, column)) for row, column in left)
    assert warping_error(found, truth) == pytest.approx(len(left) / truth.size)


@settings(max_examples=30)
@given(SMALL, SMALL)
def test_against_all_ways_of_warping(truth: np.ndarray, found: np.ndarray) -> None:
    ways = reachable(truth, found)
    warped = warp(truth, found)
    assert ways[warped.tobytes()] == int((warped != found).sum())


def test_little_is_left_that_another_order_would_not_leave() -> None:
    """Noise, which is far harder to warp than membranes are."""
    left, least = 0, 0
    for truth, found in np.random.default_rng(0).random((150, 2, 3, 4)) < 0.6:
        left += int((warp(truth, found) != found).sum())
        least += min(reachable(truth, found).values())
    assert least <= left <= 1.12 * least


@given(SLICES)
def test_the_truth_itself(truth: np.ndarray) -> None:
    assert warping_error(truth, truth) == 0
    np.testing.assert_array_equal(warp(truth, truth), truth)


@given(SLICES, SLICES, SLICES)
def test_only_where_it_is_allowed(
    truth: np.ndarray, found: np.ndarray, allowed: np.ndarray
) -> None:
    warped = warp(truth, found, allowed)
    assert not ((warped != truth) & ~allowed).any()
    assert piece_counts(warped) == piece_counts(truth)


def two_cells(border: slice) -> np.ndarray:
    interior = np.ones((12, 20), bool)
    interior[:, border] = False
    return interior


@pytest.mark.parametrize(
    "border", (slice(9, 10), slice(8, 12), slice(2, 17), slice(7, 9), slice(11, 13))
)
def test_membranes_may_move_and_grow(border: slice) -> None:
    assert warping_error(two_cells(border), two_cells(slice(9, 11))) == 0


def test_a_radius_limits_how_far() -> None:
    """Eight more columns of membrane, of which three or eight are near enough."""
    truth, found = two_cells(slice(4, 5)), two_cells(slice(4, 13))
    assert warping_error(found, truth) == 0
    assert warping_error(found, truth, radius=8) == 0
    assert warping_error(found, truth, radius=3) == pytest.approx(5 * 12 / truth.size)
    whole = np.ones_like(truth)
    assert warping_error(found, whole, radius=8) == pytest.approx(9 * 12 / truth.size)


def test_what_cannot_be_bent_is_counted() -> None:
    truth = two_cells(slice(9, 11))
    assert warping_error(np.ones_like(truth), truth) == pytest.approx(12 / truth.size)
    with_hole = truth.copy()
    with_hole[4:6, 3:5] = False
    assert warping_error(with_hole, truth) == pytest.approx(4 / truth.size)
    lost = np.zeros_like(truth)
    assert warping_error(lost, truth) == pytest.approx(2 / truth.size)


def test_pixels_that_do_not_count() -> None:
    truth = two_cells(slice(9, 11))
    counted = np.ones_like(truth)
    counted[:, 7:13] = False
    assert warping_error(np.ones_like(truth), truth, counted=counted) == 0
    assert math.isnan(warping_error(truth, truth, counted=np.zeros_like(truth)))


@given(st.integers(0, 20))
def test_large_slices_keep_their_topology(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.standard_normal((2, 60, 70)), (0, 3, 3))
    truth, found = noise[0] > -0.01, noise[0] + 0.5 * noise[1] > 0.01
    warped = warp(truth, found)
    assert piece_counts(warped) == piece_counts(truth)


def test_bad_input() -> None:
    truth = two_cells(slice(9, 11))
    with pytest.raises(UsageError, match="radius is 0"):
        warping_error(truth, truth, radius=0)
    with pytest.raises(InputError, match="counted: the values are float64"):
        warping_error(truth, truth, counted=np.ones(truth.shape))
