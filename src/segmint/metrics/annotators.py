"""One truth or several: the arrays of all annotators, checked against the labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError
from segmint.metrics.contingency import (
    Contingency,
    check_same_size,
    compact,
    integer_array,
    tabulate,
)
from segmint.metrics.values import array_of


def checked(
    labels: ArrayLike, masks: ArrayLike | Sequence[ArrayLike], name: str = ""
) -> tuple[NDArray[np.integer], list[NDArray[np.integer]]]:
    """The labels and the list of masks as integer arrays of one shape.

    Args:
        labels: (H, W) or (D, H, W) integers.
        masks: one array, or a list or tuple of arrays, one for each annotator.
        name: the image or file, for messages.

    Raises:
        InputError: for arrays that are not integers, have no pixels, or differ in size.
    """
    of = f" of {name}" if name else ""
    array = integer_array(labels, f"labels{of}")
    truths = [integer_array(mask, f"mask{of}") for mask in _as_list(masks)]
    if not truths:
        raise InputError(f"the list of masks{of} is empty: give one mask for each annotator")
    for truth in truths:
        check_same_size(array, truth, name)
    return array, truths


def mean_over_annotators(
    score: Callable[[Contingency], float],
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    ignore_index: int | None,
) -> float:
    """The mean of a score over the annotators that count a pixel, NaN when none does."""
    array, truths = checked(labels, masks)
    index, values = compact(array)
    return mean([score(tabulate(index, values, truth, ignore_index)) for truth in truths])


def mean(values: Sequence[float]) -> float:
    """The mean of the values that are not NaN, NaN when there are none.

    Example:
        >>> mean([1.0, float("nan"), 2.0])
        1.5
    """
    counted = [value for value in values if not math.isnan(value)]
    return sum(counted) / len(counted) if counted else float("nan")


def _as_list(masks: ArrayLike | Sequence[ArrayLike]) -> list[ArrayLike]:
    """A list of arrays is one array for each annotator; a nested list of numbers is one mask."""
    if not isinstance(masks, list | tuple):
        return [cast("ArrayLike", masks)]
    annotators = cast("list[ArrayLike]", list(masks))
    several = (
        not annotators
        or hasattr(annotators[0], "__array__")
        or array_of(annotators[0], "mask").ndim > 1
    )
    return annotators if several else [cast("ArrayLike", annotators)]
