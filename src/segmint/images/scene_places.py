"""Where the channels and slices of a scene lie among the axes of its file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.images.tiff import fold_axes


def places_of_channels(
    lengths: Sequence[int], axes: str, pages: str, *, first: str = ""
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """What :func:`segmint.images.tiff.fold_axes` would make of an array, without the array.

    It folds the numbers of the places in an image of a single pixel.

    Args:
        lengths: of each axis; those of Y and X are taken for 1.
        axes: one letter an axis.
        pages: what pages are, as for ``fold_axes``.
        first: axes of which only the first place is taken.

    Returns:
        (C,), or (D, C) of a stack: the flat index of each channel in an array of ``lengths`` with
        Y and X of 1; and a note where pages were interpreted.

    Example:
        >>> places_of_channels((2, 3, 50, 40), "ZCYX", "auto")[0].tolist()
        [[0, 1, 2], [3, 4, 5]]
    """
    shape = [1 if axis in "YX" else n for axis, n in zip(axes, lengths, strict=True)]
    numbers = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    kept = tuple(slice(0, 1) if axis in first else slice(None) for axis in axes)
    folded, notes = fold_axes(numbers[kept], axes, pages)
    return folded[..., 0, 0, :], notes
