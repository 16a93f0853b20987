from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.metrics import adapted_rand_error

from segmint.errors import InputError
from segmint.metrics.foreground_rand import foreground_rand, foreground_rand_parts

SLICES = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and truth of one size."""
    found = draw(SLICES)
    return found, draw(hnp.arrays(bool, found.shape))


def cells(seed: int, size: int = 24) -> np.ndarray:
    """Blobs with borders between them."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), 1.5)
    return noise < np.quantile(noise, 0.7)


def nearest_numbers(numbers: np.ndarray, at: tuple[int, int]) -> set[int]:
    """Numbers of the cells nearest to a pixel, of which there may be several."""
    places = np.argwhere(numbers)
    if not len(places):
        return {1}
    squares = ((places - at) ** 2).sum(axis=1)
    return {int(numbers[tuple(place)]) for place in places[squares == squares.min()]}


def grown_without_ties(interior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel's nearest cell, and whether there is but one."""
    numbers = ndimage.label(interior)[0]
    grown, clear = np.zeros_like(numbers), np.ones(numbers.shape, bool)
    for at in np.ndindex(numbers.shape):
        nearest = {int(numbers[at])} if numbers[at] else nearest_numbers(numbers, at)
        grown[at], clear[at] = min(nearest), len(nearest) == 1
    return grown, clear


def sums_of_squares(*labels: np.ndarray) -> int:
    """Pairs of pixels, drawn with replacement, that are equal in all labels."""
    pixels = zip(*(each.tolist() for each in labels), strict=True)
    return sum(count**2 for count in Counter(pixels).values())


def test_the_truth_itself_is_perfect() -> None:
    assert foreground_rand(cells(0), cells(0)) == 1


@given(pairs())
def test_against_counting_and_against_skimage(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Pixels of which two cells are equally near are left out, as either would be right."""
    found, truth = pair
    grown, clear = grown_without_ties(found)
    parts = foreground_rand_parts(found, truth, counted=clear)
    known = ndimage.label(truth)[0]
    at = clear & truth
    if not at.any():
        assert math.isnan(parts.f_score)
        return
    both, in_truth, in_found = (
        sums_of_squares(*labels) for labels in ((known[at], grown[at]), (known[at],), (grown[at],))
    )
    assert parts.split == pytest.approx(both / in_truth)
    assert parts.merge == pytest.approx(both / in_found)
    assert parts.f_score == pytest.approx(2 * both / (in_truth + in_found))
    total = int(at.sum())
    if min(in_truth, in_found) > total:
        # There pixels are drawn without replacement, so that their pairs with themselves are out.
        _, precision, recall = adapted_rand_error(np.where(at, known, 0), grown)
        assert recall * (in_found - total) + total == pytest.approx(both)
        assert precision * (in_truth - total) + total == pytest.approx(both)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_width_of_borders_does_not_matter(width: int) -> None:
    truth = np.ones((20, 25), bool)
    truth[:, 12] = False
    wide = np.ones((20, 25), bool)
    wide[:, 12 - width // 2 : 13 + width // 2] = False
    assert foreground_rand(wide, truth) == 1


@given(st.integers(0, 50))
def test_flipping_changes_nothing(seed: int) -> None:
    """The numbers of the cells change with it."""
    found, truth = cells(seed), cells(seed + 100)
    _, clear = grown_without_ties(found)
    turned = foreground_rand(found[::-1], truth[::-1], counted=clear[::-1])
    assert turned == pytest.approx(foreground_rand(found, truth, counted=clear))


def test_splits_and_mergers_are_told_apart() -> None:
    truth = np.ones((31, 31), bool)
    truth[::10] = truth[:, ::10] = False
    merged = foreground_rand_parts(np.ones_like(truth), truth)
    assert merged.split == 1
    assert merged.merge == pytest.approx(1 / 9)
    split = foreground_rand_parts(truth, np.ones_like(truth))
    assert split.merge == 1
    assert split.split < 0.2


def test_pixels_far_from_all_cells_are_given_to_the_nearest() -> None:
    found, truth = np.zeros((40, 90), bool), np.ones((40, 90), bool)
    found[20, 10] = found[20, 71] = True
    truth[:, 40] = False
    # The middle between the cells lies in column 40.5.
    assert foreground_rand(found, truth) == 1


def test_no_cells() -> None:
    empty = np.zeros((5, 5), bool)
    assert math.isnan(foreground_rand(empty, empty))
    assert math.isnan(foreground_rand(~empty, empty))
    assert foreground_rand(empty, ~empty) == 1


@pytest.mark.parametrize(
    ("found", "truth", "message"),
    [
        (np.ones((3, 4), bool), np.ones((4, 3), bool), "3 x 4, truth is 4 x 3"),
        (np.ones((3, 4), int), np.ones((3, 4), bool), "interior: the values are int64"),
        (np.ones((3, 4), bool), np.ones((3, 4)), "truth: the values are float64"),
        (np.ones((2, 3, 4), bool), np.ones((2, 3, 4), bool), "one slice"),
        (np.ones((0, 4), bool), np.ones((0, 4), bool), "at least one pixel"),
    ],
)
def test_arrays_that_are_refused(found: np.ndarray, truth: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        foreground_rand(found, truth)
