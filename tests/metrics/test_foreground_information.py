from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from segmint.metrics.cell_overlap import TruthCells
from segmint.metrics.foreground_information import (
    foreground_information,
    foreground_information_parts,
    information_parts,
)


@given(hnp.arrays(bool, (6, 7)), hnp.arrays(bool, (6, 7)))
def test_against_scikit_learn(found: np.ndarray, truth: np.ndarray) -> None:
    """Where the borders of the prediction do not count, none has to be thinned."""
    at = truth & found
    parts = foreground_information_parts(found, truth, counted=found)
    if not at.any():
        assert math.isnan(parts.f_score)
        return
    known, pieces = ndimage.label(truth)[0][at], ndimage.label(found)[0][at]
    mutual = mutual_info_score(known, pieces)
    for part, labels in ((parts.split, pieces), (parts.merge, known)):
        entropy = mutual_info_score(labels, labels)
        assert part == pytest.approx(mutual / entropy if entropy > 1e-9 else 1, abs=1e-9)
    score = normalized_mutual_info_score(known, pieces)
    if known.max() > known.min() or pieces.max() > pieces.min():
        assert parts.f_score == pytest.approx(score, abs=1e-9)


def test_single_cells_on_both_sides_are_perfect() -> None:
    whole = np.ones((4, 5), bool)
    assert foreground_information(whole, whole) == 1


@given(hnp.arrays(bool, (6, 6)))
def test_the_truth_itself_is_perfect(truth: np.ndarray) -> None:
    if truth.any():
        assert foreground_information(truth, truth) == pytest.approx(1)


def test_splits_and_mergers_are_told_apart() -> None:
    truth = np.ones((21, 21), bool)
    truth[10] = False
    quarters = truth.copy()
    quarters[:, 10] = False
    split = foreground_information_parts(quarters, truth)
    assert split.merge == pytest.approx(1)
    assert split.split == pytest.approx(0.5, abs=0.01)
    merged = foreground_information_parts(truth, quarters)
    assert merged.split == pytest.approx(1)
    assert merged.merge == pytest.approx(0.5, abs=0.01)


@given(st.integers(1, 6))
def test_pixels_alone_are_cells_of_their_own(count: int) -> None:
    """One cell of n pixels found as n cells of one."""
    found, truth = np.zeros((1, count), bool), np.ones((1, count), bool)
    as_given, _ = TruthCells(truth).overlaps(found)
    parts = information_parts(as_given)
    assert as_given.alone == count
    assert parts.merge == 1
    assert parts.split == (1 if count == 1 else 0)
