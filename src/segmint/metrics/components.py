"""Connected components of a label map: the pieces that each label falls into."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.contingency import integer_array


def relabel_components(labels: ArrayLike) -> NDArray[np.int64]:
    """Give every connected piece of every label a number of its own.

    Args:
        labels: (H, W) integers, neighbors share an edge (4 of them), or (D, H, W), neighbors
            share a face (6 of them); negative values are outside the region.

    Returns:
        Integers of the same shape: pieces from 1 up in the order of their first pixel, -1 outside.

    Raises:
        InputError: for an array that is not integers or has no pixels.

    Example:
        >>> relabel_components([[5, 2, 5]]).tolist()
        [[1, 2, 3]]
    """
    array = integer_array(labels, "labels")
    index, values = components(array)
    return np.where(values[index] < 0, -1, index).reshape(array.shape)


def components(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Number the connected pieces in one pass.

    Returns:
        The piece of each pixel, (N,), 0 to C - 1, and the label of each piece, (C,). Piece 0
        collects the pixels of value -1, of which there may be none.
    """
    from skimage.measure import label

    signed = labels.astype(np.int64, copy=False)
    numbered, count = label(  # type: ignore[no-untyped-call]
        signed, background=-1, return_num=True, connectivity=1
    )
    index = numbered.ravel().astype(np.intp, copy=False)
    values = np.full(count + 1, -1, dtype=np.int64)
    values[index] = signed.ravel()
    return index, values
