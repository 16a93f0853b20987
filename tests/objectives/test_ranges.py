from __future__ import annotations

import math

import pytest

from segmint.errors import UsageError
from segmint.objectives.ranges import in_range


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_inside(value: float) -> None:
    assert in_range("share", value, low=0, high=1) == value


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_outside(value: float) -> None:
    with pytest.raises(UsageError, match=f"share is {value}, accepted is 0 to 1"):
        in_range("share", value, low=0, high=1)


def test_no_bound_above() -> None:
    assert in_range("smooth", 1e30, low=0) == 1e30
    with pytest.raises(UsageError, match="accepted is 0 or more"):
        in_range("smooth", math.inf, low=0)
