"""Refusals of values that no network can be built with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segmint.errors import UsageError, nearest

MOST_CHANNELS = 65536


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Refuse what is no whole number of a range.

    Raises:
        UsageError: names the value and the range.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} is {value!r}, accepted is a whole number from {low} to {high}")


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Refuse what is none of the known words.

    Raises:
        UsageError: names the value and the nearest word.
    """
    choices = tuple(choices)
    if value not in choices:
        raise UsageError(f"{name} is {value!r}: {nearest(str(value), choices)}")


def check_dropout(value: Any) -> None:
    """Refuse what is no share of features that may be dropped.

    Raises:
        UsageError: names the value and the range.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < 1:
        raise UsageError(f"dropout is {value!r}, accepted is a number from 0 to less than 1")
