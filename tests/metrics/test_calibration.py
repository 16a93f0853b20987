from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from segmint.errors import InputError, UsageError
from segmint.metrics.calibration import LEAST_PROBABILITY, calibration
from segmint.torchvision_operators import declare_operators

Maps = NDArray[np.float32]


def drawn(seed: int, classes: int, size: tuple[int, ...]) -> tuple[Maps, NDArray[np.int64]]:
    """Random probabilities, more or less sure but never 1, and a random truth."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(classes, *size)) * rng.uniform(0.1, 2)
    shares = np.exp(logits) / np.exp(logits).sum(axis=0)
    return shares.astype(np.float32), rng.integers(0, classes, size)


CASES = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(2, 5), st.sampled_from([(9, 11), (2, 4, 5)])
)


@given(CASES)
def test_errors_are_those_of_torchmetrics(case: tuple[int, int, tuple[int, ...]]) -> None:
    declare_operators()
    from torchmetrics.functional.classification import multiclass_calibration_error

    shares, mask = drawn(*case)
    found = calibration(shares, mask, ignore_index=None)
    for norm, value in (("l1", found.expected_error), ("max", found.maximum_error)):
        expected = multiclass_calibration_error(
            torch.from_numpy(shares.reshape(len(shares), -1).T.copy()),
            torch.from_numpy(mask.ravel()),
            num_classes=len(shares),
            n_bins=15,
            norm=norm,
        )
        assert value == pytest.approx(float(expected), abs=1e-5)


@given(CASES)
def test_likelihood_is_that_of_scikit_learn(case: tuple[int, int, tuple[int, ...]]) -> None:
    shares, mask = drawn(*case)
    flat = shares.reshape(len(shares), -1).T.astype(np.float64)
    flat /= flat.sum(axis=1, keepdims=True)
    expected = log_loss(mask.ravel(), flat, labels=range(len(shares)))
    found = calibration(shares, mask, ignore_index=None)
    assert found.negative_log_likelihood == pytest.approx(expected, rel=1e-5)


@given(CASES)
def test_brier_score_by_hand(case: tuple[int, int, tuple[int, ...]]) -> None:
    shares, mask = drawn(*case)
    flat = shares.reshape(len(shares), -1).T.astype(np.float64)
    truth = np.eye(len(shares))[mask.ravel()]
    expected = ((flat - truth) ** 2).sum(axis=1).mean()
    found = calibration(shares, mask, ignore_index=None)
    assert found.brier == pytest.approx(expected, rel=1e-5, abs=1e-7)


@given(CASES, CASES)
def test_images_add_up(
    first: tuple[int, int, tuple[int, ...]], second: tuple[int, int, tuple[int, ...]]
) -> None:
    one, other = drawn(first[0], 3, (6, 7)), drawn(second[0], 3, (6, 9))
    both = calibration(
        np.concatenate([one[0], other[0]], axis=2), np.concatenate([one[1], other[1]], axis=1)
    )
    added = calibration(*one) + calibration(*other)
    np.testing.assert_array_equal(added.pixels, both.pixels)
    np.testing.assert_array_equal(added.hits, both.hits)
    assert added.expected_error == pytest.approx(both.expected_error, rel=1e-9)
    assert added.brier == pytest.approx(both.brier, rel=1e-6)


def test_parts_of_an_image_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, mask = drawn(0, 4, (33, 35))
    mask[5:9] = 255
    whole = calibration(shares, mask)
    monkeypatch.setattr(sys.modules["segmint.metrics.calibration"], "_CHUNK", 50)
    parts = calibration(shares, mask)
    np.testing.assert_array_equal(parts.pixels, whole.pixels)
    assert parts.brier == pytest.approx(whole.brier, rel=1e-6)
    assert parts.expected_error == pytest.approx(whole.expected_error, rel=1e-9)


class TestClosedForms:
    def test_all_sure_and_a_quarter_wrong(self) -> None:
        shares = np.zeros((2, 1, 8), np.float32)
        shares[0] = 1
        mask = np.array([[0, 0, 0, 0, 0, 0, 1, 1]])
        found = calibration(shares, mask)
        assert found.expected_error == found.maximum_error == 0.25
        assert found.brier == pytest.approx(2 * 0.25)
        expected = -0.25 * math.log(LEAST_PROBABILITY)
        assert found.negative_log_likelihood == pytest.approx(expected)

    def test_equal_probabilities(self) -> None:
        shares = np.full((4, 3, 5), 0.25, np.float32)
        found = calibration(shares, np.zeros((3, 5), np.int64))
        assert found.brier == pytest.approx(0.75)
        assert found.negative_log_likelihood == pytest.approx(math.log(4))

    def test_bins_hold_their_upper_end(self) -> None:
        shares = np.array([[[0.5, 0.75, 1.0]], [[0.5, 0.25, 0.0]]], np.float32)
        found = calibration(shares, np.zeros((1, 3), np.int64), bins=4)
        assert found.pixels.tolist() == [0, 1, 1, 1]
        assert found.confidence.tolist() == [0, 0.5, 0.75, 1]

    def test_what_is_not_counted(self) -> None:
        shares, mask = drawn(1, 3, (6, 8))
        part = calibration(shares[:, :3], mask[:3])
        broken = shares.copy()
        broken[:, 3:] = np.nan
        for value in (255, -1):
            hidden = mask.copy()
            hidden[3:] = value
            found = calibration(broken, hidden)
            assert found.total == 24
            assert found.expected_error == pytest.approx(part.expected_error, rel=1e-9)

    def test_nothing_counted(self) -> None:
        found = calibration(np.full((2, 2, 2), 0.5), np.full((2, 2), 255))
        scores = (found.expected_error, found.maximum_error, found.brier)
        assert all(math.isnan(score) for score in (*scores, found.negative_log_likelihood))


class TestInput:
    @pytest.mark.parametrize("value", [np.nan, np.inf, 0.7, -0.5])
    def test_other_than_probabilities(self, value: float) -> None:
        shares = np.full((2, 3, 3), 0.5)
        shares[1, 2, 2] = value
        with pytest.raises(InputError, match="with a sum of 1: give what a softmax made"):
            calibration(shares, np.zeros((3, 3), np.int64), name="cat")

    def test_other_sizes(self) -> None:
        with pytest.raises(InputError, match="probabilities of cat are 2 x 3 x 3 and the mask is"):
            calibration(np.full((2, 3, 3), 0.5), np.zeros((3, 4), np.int64), name="cat")

    def test_other_types(self) -> None:
        with pytest.raises(InputError, match="are uint8, accepted are floats"):
            calibration(np.full((2, 3, 3), 127, np.uint8), np.zeros((3, 3), np.int64))

    def test_class_beyond(self) -> None:
        with pytest.raises(InputError, match="holds class 2 and the probabilities are of the"):
            calibration(np.full((2, 3, 3), 0.5), np.full((3, 3), 2))

    @pytest.mark.parametrize("bins", [0, 10**9, 1.5, "a", np.nan, True])
    def test_bins(self, bins: int) -> None:
        with pytest.raises(UsageError, match="accepted is a whole number from 1 to 10000"):
            calibration(np.full((2, 3, 3), 0.5), np.zeros((3, 3), np.int64), bins=bins)

    def test_wide_floats(self) -> None:
        truth = np.zeros((3, 3), np.int64)
        wide = calibration(np.full((2, 3, 3), 0.5, np.longdouble), truth)
        assert wide.brier == calibration(np.full((2, 3, 3), 0.5), truth).brier

    def test_no_class(self) -> None:
        with pytest.raises(InputError, match="probabilities are 0 x 3 x 3"):
            calibration(np.zeros((0, 3, 3)), np.zeros((3, 3), np.int64))
