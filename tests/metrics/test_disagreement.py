from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy

from segmint.errors import InputError
from segmint.metrics import disagreement


def predictions(seed: int, members: int, *, scale: float = 3.0) -> list[np.ndarray]:
    """Arrays (5, 4, 3) of probabilities."""
    logits = np.random.default_rng(seed).normal(0, scale, (members, 5, 4, 3))
    return list(softmax(logits, axis=1))


@pytest.mark.parametrize("members", [2, 3, 5])
def test_entropy_of_the_mean_minus_mean_of_the_entropies(members: int) -> None:
    found = predictions(members, members)
    expected = entropy(np.mean(found, axis=0), base=2) - np.mean(
        [entropy(each, base=2) for each in found], axis=0
    )
    assert disagreement(found).dtype == np.float32
    np.testing.assert_allclose(disagreement(found), expected, rtol=1e-6, atol=1e-7)


def test_two_classes_in_closed_form() -> None:
    """Certain of one class, and undecided: h(1/4) - h(1/2) / 2."""
    one, other = np.array([[1.0], [0.0]]), np.array([[0.5], [0.5]])
    expected = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75)) - 0.5
    assert disagreement([one, other])[0] == pytest.approx(expected, rel=1e-6)


def test_each_sure_of_another_class() -> None:
    certain = list(np.eye(4)[:, :, np.newaxis])
    assert disagreement(certain).tolist() == [2.0]


def test_small_differences_are_not_lost() -> None:
    """Around 1/2 it is 2 step^2 nats, far below what entropies in float32 resolve."""
    step = 1e-5
    one = np.array([[0.5 + step], [0.5 - step]])
    other = one[::-1]
    expected = 2 * step**2 / np.log(2)
    assert disagreement([one, other])[0] == pytest.approx(expected, rel=1e-4)


@given(
    seed=st.integers(0, 2**32 - 1),
    members=st.integers(1, 4),
    scale=st.floats(0, 200),
)
def test_never_negative_and_bounded(seed: int, members: int, scale: float) -> None:
    found = [each.astype(np.float32) for each in predictions(seed, members, scale=scale)]
    bits = disagreement(found)
    assert (bits >= 0).all()
    assert (bits <= np.log2(members) + 1e-5).all()
    np.testing.assert_allclose(disagreement(found[::-1]), bits, atol=1e-6)


def test_the_same_answers_do_not_disagree() -> None:
    one = predictions(0, 1)[0].astype(np.float32)
    assert not disagreement([one, one, one]).any()


def test_unlike_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="of the same shape"):
        disagreement([np.ones((1, 2, 2)), np.ones((1, 2, 3))])
    with pytest.raises(InputError, match="one or more"):
        disagreement([])
