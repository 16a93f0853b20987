from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score

from segmint.metrics.pixel_error import pixel_error


@given(hnp.arrays(bool, (4, 5)), hnp.arrays(bool, (4, 5)), hnp.arrays(bool, (4, 5)))
def test_against_scikit_learn(found: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> None:
    error = pixel_error(found, truth, counted=counted)
    if not (counted & (found | truth)).any():
        assert math.isnan(error)
        return
    expected = 1 - f1_score(truth[counted], found[counted])
    assert error == pytest.approx(expected, abs=1e-12)


def test_it_is_not_the_share_of_wrong_pixels() -> None:
    truth = np.zeros((10, 10), bool)
    truth[:, :2] = True
    found = np.zeros((10, 10), bool)
    found[:, :3] = True
    assert pixel_error(found, truth) == pytest.approx(1 - 40 / 50)
    assert pixel_error(truth, truth) == 0
