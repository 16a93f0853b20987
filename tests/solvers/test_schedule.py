from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.solvers.optimizer_options import DECAY_UNITS, SCHEDULES, OptimizerOptions
from segmint.solvers.schedule import rate_factor


def factors(total: int, per_epoch: int = 1, **options: object) -> list[float]:
    made = OptimizerOptions(**options)
    return [rate_factor(made, done=done, total=total, per_epoch=per_epoch) for done in range(total)]


def test_constant() -> None:
    assert factors(5, schedule="constant") == [1.0] * 5


def test_poly_each_step() -> None:
    expected = [(1 - done / 8) ** 0.9 for done in range(8)]
    assert factors(8, schedule="poly") == pytest.approx(expected)


def test_poly_once_an_epoch() -> None:
    found = factors(12, per_epoch=4, schedule="poly", decay_power=2, decay_every="epoch")
    assert found == pytest.approx([1.0] * 4 + [(2 / 3) ** 2] * 4 + [(1 / 3) ** 2] * 4)


def test_cosine() -> None:
    expected = [(1 + math.cos(math.pi * done / 6)) / 2 for done in range(6)]
    assert factors(6, schedule="cosine") == pytest.approx(expected)


def test_warmup() -> None:
    found = factors(10, schedule="poly", decay_power=1, warmup_steps=4)
    assert found[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found[4:] == pytest.approx([1 - done / 6 for done in range(6)])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.9), (0.05, 0.9), (0.5, 0.5), (1.0, 0.0)])
def test_time_hurries(share: float, expected: float) -> None:
    options = OptimizerOptions(schedule="poly", decay_power=1)
    found = rate_factor(options, done=1, total=10, per_epoch=1, time_share=share)
    assert found == pytest.approx(expected)


@given(
    st.sampled_from(SCHEDULES),
    st.sampled_from(DECAY_UNITS),
    st.integers(0, 12),
    st.integers(1, 10),
    st.integers(1, 5),
    st.floats(0, 1),
)
def test_is_a_share_and_falls_after_the_warmup(
    schedule: str, unit: str, warmup: int, total: int, per_epoch: int, share: float
) -> None:
    options = OptimizerOptions(schedule=schedule, decay_every=unit, warmup_steps=warmup)
    found = [
        rate_factor(options, done=done, total=total, per_epoch=per_epoch, time_share=share)
        for done in range(total)
    ]
    assert all(0 <= factor <= 1 for factor in found)
    assert found[warmup:] == sorted(found[warmup:], reverse=True)
