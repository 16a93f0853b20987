"""Ranges of the numbers that terms take."""

from __future__ import annotations

import math

from segmint.errors import UsageError


def in_range(name: str, value: float, *, low: float, high: float = math.inf) -> float:
    """The value, if it is from ``low`` to ``high``.

    Raises:
        UsageError: if it is not, or is not a finite number.

    Example:
        >>> in_range("smooth", 1.0, low=0)
        1.0
    """
    if math.isfinite(value) and low <= value <= high:
        return value
    accepted = f"{low} or more" if high == math.inf else f"{low} to {high}"
    raise UsageError(f"{name} is {value}, accepted is {accepted}")
