from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage

from segmint.errors import InputError
from segmint.metrics.foreground_rand import foreground_rand


def cells(seed: int, size: int = 24) -> np.ndarray:
    """Blobs with borders between them."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), 1.5)
    return noise < np.quantile(noise, 0.7)


def test_the_truth_itself_is_perfect() -> None:
    assert foreground_rand(cells(0), cells(0)) == pytest.approx(1)


def test_the_width_of_borders_does_not_matter() -> None:
    truth = np.ones((20, 21), bool)
    truth[:, 10] = False
    wide = np.ones((20, 21), bool)
    wide[:, 8:13] = False
    assert foreground_rand(wide, truth) == pytest.approx(1)


def test_against_counting_all_pairs() -> None:
    """Where the prediction has no border, nothing is thinned, and pairs can be counted."""
    truth = np.ones((6, 9), bool)
    truth[:, 4] = False
    predicted = np.zeros((6, 9), int)
    predicted[:, :3], predicted[:, 4:] = 1, 2
    interior = predicted > 0
    interior[:, 3] = False  # goes to the nearest cell: a tie, so columns 3 is checked both ways
    known = ndimage.label(truth)[0]
    scores = []
    for column in (1, 2):
        grown = predicted.copy()
        grown[:, 3] = column
        pixels = [(known[at], grown[at]) for at in zip(*np.nonzero(truth), strict=True)]
        both = sum(a == b for a, b in combinations(pixels, 2))
        true = sum(a[0] == b[0] for a, b in combinations(pixels, 2))
        found = sum(a[1] == b[1] for a, b in combinations(pixels, 2))
        scores.append(2 * both / (true + found))
    assert any(
        foreground_rand(interior, truth) == pytest.approx(score, abs=1e-9) for score in scores
    )


def test_merging_everything_is_worse() -> None:
    truth = np.ones((31, 31), bool)
    truth[::10] = truth[:, ::10] = False
    assert foreground_rand(np.ones_like(truth), truth) == pytest.approx(0.2, abs=0.01)


def test_no_cells() -> None:
    empty = np.zeros((5, 5), bool)
    assert math.isnan(foreground_rand(empty, empty))
    assert 0 <= foreground_rand(empty, ~empty) <= 1


def test_shapes_must_fit() -> None:
    with pytest.raises(InputError, match="two of one shape"):
        foreground_rand(np.ones((3, 4), bool), np.ones((4, 3), bool))
