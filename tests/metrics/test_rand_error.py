from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from segmint.metrics.rand_error import rand_error


@given(hnp.arrays(bool, (4, 5)), hnp.arrays(bool, (4, 5)))
def test_against_counting_all_pairs(found: np.ndarray, truth: np.ndarray) -> None:
    """Border pixels of the prediction get numbers of their own."""
    pieces, known = ndimage.label(found)[0], ndimage.label(truth)[0]
    pieces[~found] = 1000 + np.arange(np.count_nonzero(~found))
    pixels = list(zip(known[truth].tolist(), pieces[truth].tolist(), strict=True))
    if not pixels:
        assert math.isnan(rand_error(found, truth))
        return
    together = [(a[0] == b[0], a[1] == b[1]) for a, b in product(pixels, pixels)]
    both = sum(a and b for a, b in together)
    precision = both / sum(b for _, b in together)
    recall = both / sum(a for a, _ in together)
    expected = 1 - 2 * precision * recall / (precision + recall)
    assert rand_error(found, truth) == pytest.approx(expected, abs=1e-12)


def test_the_width_of_borders_matters() -> None:
    truth = np.ones((9, 21), bool)
    truth[:, 10] = False
    wide = truth.copy()
    wide[:, 8:13] = False
    assert rand_error(truth, truth) == 0
    assert rand_error(wide, truth) > 0.05


def test_pixels_that_do_not_count() -> None:
    truth = np.ones((6, 9), bool)
    truth[:, 4] = False
    found, counted = truth.copy(), np.ones_like(truth)
    found[:, 6] = counted[:, 6] = False
    counted[:, 7:] = False
    assert rand_error(found, truth) > 0
    assert rand_error(found, truth, counted=counted) == 0
