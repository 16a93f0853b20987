"""One stable rule for the numbers of components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def order_by_area(
    labels: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number components 0, 1, ... from the largest to the smallest.

    Components of equal area are numbered in reading order of their first pixel. Negative labels,
    pixels outside the region, become -1.

    Args:
        labels: integers of any shape.

    Returns:
        The numbered labels, same shape, and the former label of each number.

    Example:
        >>> order_by_area(np.array([[7, 7, 3], [7, 3, -1]]))[0].tolist()
        [[0, 0, 1], [0, 1, -1]]
    """
    flat = labels.ravel()
    inside = flat[flat >= 0]
    if inside.size == 0:
        return np.full(labels.shape, -1, np.int32), np.empty(0, np.int64)
    former, first, counts = np.unique(inside, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    numbers = np.full(int(former[-1]) + 2, -1, np.int32)
    numbers[former[order]] = np.arange(len(order), dtype=np.int32)
    return numbers[np.maximum(labels, -1)], former[order].astype(np.int64)
