"""The inside of cells in one slice, as found and as known, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError
from segmint.metrics.contingency import size_text
from segmint.metrics.values import array_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Interiors:
    """One slice: where cells were found, where they are, and which pixels count."""

    found: NDArray[np.bool_]
    """(H, W), the prediction: inside of a cell, not membrane."""
    truth: NDArray[np.bool_]
    """(H, W), the same of the truth."""
    counted: NDArray[np.bool_] | None = None
    """(H, W), the pixels that count; None counts all."""


def interiors(found: ArrayLike, truth: ArrayLike, counted: ArrayLike | None = None) -> Interiors:
    """The arrays of one slice, checked.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W) with pixels.
    """
    arrays = {"interior": boolean_slice(found, "interior"), "truth": boolean_slice(truth, "truth")}
    if counted is not None:
        arrays["counted"] = boolean_slice(counted, "counted")
    if len({array.shape for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{name} is {size_text(array)}" for name, array in arrays.items())
        raise InputError(f"{sizes}: accepted is one shape, so give the arrays of one slice")
    return Interiors(found=arrays["interior"], truth=arrays["truth"], counted=arrays.get("counted"))


def boolean_slice(values: ArrayLike, what: str) -> NDArray[np.bool_]:
    """The values as a boolean slice.

    Raises:
        InputError: when they are not boolean, not (H, W), or none.
    """
    array = array_of(values, what)
    if array.dtype != np.bool_:
        raise InputError(
            f"{what}: the values are {array.dtype}, accepted are booleans, true inside of cells: "
            "compare the labels with the class of cells, labels == 1"
        )
    if array.ndim != 2 or not array.size:
        raise InputError(
            f"{what}: the shape is {size_text(array)}, accepted is one slice H x W with at least "
            "one pixel: give the slices of a stack one by one"
        )
    return array


def cells_of(interior: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """The 4-connected pieces of the interior, numbered from 1, and how many there are."""
    from scipy import ndimage

    numbers, count = ndimage.label(interior)
    return np.asarray(numbers, np.int32), int(count)
