"""A merge tree over components that may lie in many pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmint.regions.merge_tree import MergeTree


def component_tree(labels: NDArray[np.int32], features: NDArray[np.float64]) -> MergeTree:
    """Join components by distance of their features and by shared boundary.

    The cost of joining i and j is Ward's increase of the squared error,
    ``n_i n_j / (n_i + n_j) |f_i - f_j|^2`` (Ward, JASA 58, 1963), per pixel, divided by
    ``1 + s``, where s is the share of the shorter of both boundaries that they have in common:
    of two equally near components the one that surrounds or touches is taken first.

    Args:
        labels: (H, W) components 0..n-1, each present; -1 outside the region.
        features: (n, F) mean feature of each component.

    Returns:
        A tree of n leaves; heights never fall.
    """
    areas = np.bincount(labels[labels >= 0], minlength=len(features)).astype(np.float64)
    shared = shared_boundaries(labels, len(features))
    total, leaves = areas.sum(), len(features)
    nodes = list(range(leaves))
    features = features.copy()
    merges, heights = [], []
    height = 0.0
    while len(nodes) > 1:
        cost = _costs(areas, features, shared) / total
        first, second = sorted(divmod(int(np.argmin(cost)), len(cost)))
        height = max(height, float(cost[first, second]))
        merges.append((nodes[first], nodes[second]))
        heights.append(height)
        nodes[first] = leaves + len(merges) - 1
        joined = areas[first] + areas[second]
        features[first] = (
            areas[first] * features[first] + areas[second] * features[second]
        ) / joined
        areas[first] = joined
        shared[first] += shared[second]
        shared[:, first] += shared[:, second]
        shared[first, first] = 0
        areas, features = np.delete(areas, second), np.delete(features, second, axis=0)
        shared = np.delete(np.delete(shared, second, axis=0), second, axis=1)
        del nodes[second]
    return MergeTree(
        merges=np.array(merges, np.int32).reshape(-1, 2), heights=np.array(heights, np.float64)
    )


def shared_boundaries(labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """(count, count) number of neighboring pixel pairs between components, 0 on the diagonal."""
    table = np.zeros(count * count, np.int64)
    for first, second in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        differ = (first != second) & (first >= 0) & (second >= 0)
        codes = first[differ].astype(np.int64) * count + second[differ]
        table += np.bincount(codes, minlength=count * count)
    square = table.reshape(count, count).astype(np.float64)
    return square + square.T


def _costs(
    areas: NDArray[np.float64], features: NDArray[np.float64], shared: NDArray[np.float64]
) -> NDArray[np.float64]:
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * features @ features.T
    ward = np.maximum(distances, 0) * areas[:, None] * areas[None] / (areas[:, None] + areas[None])
    perimeters = shared.sum(axis=1)
    shorter = np.maximum(np.minimum(perimeters[:, None], perimeters[None]), 1)
    cost: NDArray[np.float64] = ward / (1 + shared / shorter)
    np.fill_diagonal(cost, np.inf)
    return cost
