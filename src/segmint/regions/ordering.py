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
    inside = labels >= 0
    former, first, positions, counts = np.unique(
        labels[inside], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -counts))
    numbers = np.empty(len(order), np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    ordered = np.full(labels.shape, -1, np.int32)
    ordered[inside] = numbers[positions]
    return ordered, former[order].astype(np.int64)


def name_by_scribbles(labels: NDArray[np.int32], scribbles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Components under the ids of their scribbles; every scribbled pixel keeps its id.

    A component is named by the scribble that most of its scribbled pixels belong to. Components
    without a scribble get the ids after the largest scribbled one, from the largest component on.

    Args:
        labels: (H, W) components from 0, -1 outside the region.
        scribbles: (H, W) ids, -1 where there is no scribble.
    """
    ids, numbers = np.unique(scribbles[scribbles >= 0], return_inverse=True)
    votes = np.zeros((int(labels.max(initial=-1)) + 1, len(ids)), np.int64)
    marked = (scribbles >= 0) & (labels >= 0)
    inside = labels[scribbles >= 0] >= 0
    np.add.at(votes, (labels[marked], numbers[inside]), 1)
    names = np.where(votes.any(axis=1), ids[votes.argmax(axis=1)], -1).astype(np.int32)
    nameless = names[np.maximum(labels, 0)] < 0
    further, _ = order_by_area(np.where(nameless, labels, -1))
    named = np.append(names, np.int32(-1))[labels]
    named = np.where(further >= 0, further + np.int32(ids[-1] + 1), named).astype(np.int32)
    named[marked] = scribbles[marked]
    return named
