"""Arrays and numbers as callers give them, before anything is computed of them."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError, UsageError, shortened

_ROUNDING = 1e-3
"""Of a softmax in half precision, whose shares may lie as far beyond 0 and 1."""
_WIDEST = 8
"""Bytes of a float that sums can be weighted by."""


def array_of(values: ArrayLike, what: str) -> NDArray[Any]:
    """The values as an array.

    Args:
        values: an array, or nested lists with rows of one length.
        what: what the array is, for the message.

    Raises:
        InputError: for what makes no array.
    """
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what}: there is no array of one shape in it, accepted are rows of one length: give "
            "an array"
        ) from error


def share_array(values: ArrayLike, what: str) -> NDArray[np.floating]:
    """Shares as an array of floats of at most 64 bits.

    Args:
        values: floats of any shape.
        what: what they are, for the message, ``the probabilities``.

    Raises:
        InputError: for other types.
    """
    array = array_of(values, what)
    if array.dtype.kind != "f":
        raise InputError(
            f"{what} are {array.dtype}, accepted are floats from 0 to 1: convert them, 8-bit ones "
            "divided by 255"
        )
    return array if array.itemsize <= _WIDEST else array.astype(np.float64)


def check_shares(shares: NDArray[np.floating], counted: NDArray[np.bool_], what: str) -> None:
    """Refuse values that are none of 0 to 1 in a pixel that counts.

    Args:
        shares: of the shape of ``counted``, or with one such array a class.
        counted: (H, W) or (D, H, W), the pixels that count.
        what: what the values are, for the message, ``the probabilities``.

    Raises:
        InputError: names the first of them.
    """
    low, high = -_ROUNDING, 1 + _ROUNDING
    for share in shares.reshape(-1, *counted.shape):
        # Comparisons with NaN are false, so that it is refused, too.
        if share.min() >= low and share.max() <= high:
            continue
        wrong = ~((share >= low) & (share <= high)) & counted
        if wrong.any():
            raise InputError(
                f"{what} hold {share[wrong][0]:g} in a pixel that counts, accepted are numbers "
                "from 0 to 1: give what a softmax made, or leave such pixels out"
            )


def number(value: object, name: str, accepted: str) -> float:
    """A finite number.

    Args:
        value: what was given.
        name: of the option, for the message.
        accepted: the same, ``a number from 0 up``.

    Raises:
        UsageError: for anything else, a boolean too.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    try:
        found = float(cast("float", value)) if is_number else math.nan
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise UsageError(f"{name} is {shortened(repr(value))}, accepted is {accepted}: give one")
    return found


def whole_number(value: object, name: str, low: int, high: int) -> int:
    """A whole number in a range.

    Args:
        value: what was given.
        name: of the option, for the message.
        low: the least accepted.
        high: the greatest.

    Raises:
        UsageError: for anything else, a boolean too.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or not low <= value <= high
    ):
        raise UsageError(
            f"{name} is {shortened(repr(value))}, accepted is a whole number from {low} to {high}: "
            "give one"
        )
    return int(value)


def numbers(values: Any, name: str, accepted: str) -> tuple[float, ...]:
    """Several finite numbers.

    Args:
        values: what was given.
        name: of the option, for the message.
        accepted: the same, ``one length above 0 for each axis``.

    Raises:
        UsageError: for anything else, a text too.
    """
    try:
        return tuple(number(value, name, accepted) for value in values)
    except TypeError as error:
        raise UsageError(
            f"{name} is {shortened(repr(values))}, accepted is {accepted}: give a list of numbers"
        ) from error
