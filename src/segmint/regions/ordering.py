"""One stable rule for the numbers of components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_DENSE = 2**20
"""Below this, counting every possible id is faster than sorting those that occur."""


def counted_ids(labels: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ids from 0 on that occur, in order, and how many pixels have each.

    Args:
        labels: integers of any shape; negative ones lie outside the region.

    Example:
        >>> ids, counts = counted_ids(np.array([[3, -1], [0, 3]]))
        >>> ids.tolist(), counts.tolist()
        ([0, 3], [1, 2])
    """
    if _is_dense(labels):
        counts = np.bincount(labels.ravel() + 1)[1:]
        ids = np.flatnonzero(counts)
        return ids, counts[ids]
    found, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return found.astype(np.int64), sizes.astype(np.int64)


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
    if _is_dense(labels):
        return _order_of_dense(labels)
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


def _order_of_dense(
    labels: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """As :func:`order_by_area`, by counting; labels are -1 or more."""
    former, counts = counted_ids(labels)
    first = np.zeros(len(former), np.int64)
    if len(np.unique(counts)) < len(counts):
        # Of several values for one place the last stays: from the end, the first pixel.
        places = np.zeros(int(former[-1]) + 2, np.int64)
        places[labels.ravel()[::-1] + 1] = np.arange(labels.size - 1, -1, -1)
        first = places[former + 1]
    order = np.lexsort((first, -counts))
    numbers = np.full(int(former.max(initial=-1)) + 2, -1, np.int32)
    numbers[former[order] + 1] = np.arange(len(order), dtype=np.int32)
    return numbers[labels + 1], former[order]


def _is_dense(labels: NDArray[np.integer[Any]]) -> bool:
    """Whether a table has room for all values; -1 is the only one outside the region."""
    if labels.size == 0 or labels.dtype not in (np.int32, np.int64):
        return False
    return bool(labels.min() >= -1 and labels.max() < _MOST_DENSE)
