"""Joining regions, the likeliest pair first, into a merge tree.

Learned hierarchical merging in the manner of Ren and Shakhnarovich (NIPS 2013) and of
Nunez-Iglesias et al. (PLOS ONE 2013), with one logistic regression instead of many classifiers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segmint.regions.merge_tree import MergeTree
from segmint.regions.region_graph import Floats, RegionGraph, pair_features

FEATURE_WEIGHTS = np.array(
    [
        2.799,  # boundary strength
        0.435,  # color step
        -0.518,  # lightness
        0.229,  # green-red
        0.017,  # blue-yellow
        0.344,  # texture
        2.613,  # the largest of these four
        0.217,  # smaller area
        0.299,  # larger area
        -0.311,  # shared perimeter
    ]
)
INTERCEPT = -3.690
"""Logistic regression of "annotators have these two regions in different segments" on the features
of pairs met while joining, BSDS500 train and val (benchmarks/learn_merge_weights.py)."""

MERGED_PER_ROUND = 0.25
"""Of the pairs that are each other's best, the part that joins before all pairs are looked at
again: 0 is strictly greedy and slow."""


def boundary_probability(graph: RegionGraph) -> Floats:
    """Probability that an annotator would separate the two regions of each pair, (P,)."""
    evidence = pair_features(graph) @ FEATURE_WEIGHTS + INTERCEPT
    probability: Floats = 1 / (1 + np.exp(-evidence))
    return probability


def agglomerate(
    graph: RegionGraph, probability: Callable[[RegionGraph], Floats] = boundary_probability
) -> MergeTree:
    """Join regions until one is left.

    Each round joins pairs that are each other's best, the best of those first, and measures the
    joined regions anew. Regions that share no boundary are joined last, at height infinity.

    Args:
        graph: leaves and their boundaries.
        probability: of a boundary between the two regions of each pair of a graph, (P,).
    """
    leaves = len(graph.areas)
    merges: list[tuple[int, int]] = []
    heights: list[float] = []
    node_heights = np.zeros(2 * leaves - 1)
    nodes = np.arange(leaves)

    def join(first: int, second: int, height: float) -> int:
        node = leaves + len(merges)
        # A node is never lower than its children, so that cuts at a height nest.
        height = max(height, node_heights[first], node_heights[second])
        node_heights[node] = height
        merges.append((first, second))
        heights.append(height)
        return node

    while len(graph.pairs):
        costs = probability(graph)
        best = mutually_best(graph.pairs, costs, len(nodes))
        best = best[: max(1, int(np.ceil(MERGED_PER_ROUND * len(best))))]
        target = np.arange(len(nodes))
        target[graph.pairs[best, 1]] = graph.pairs[best, 0]
        height = np.zeros(len(nodes))
        height[graph.pairs[best, 1]] = costs[best]
        target = np.unique(target, return_inverse=True)[1]
        graph, nodes = joined_in_order(graph, nodes, target, height, join)

    root, *pieces = nodes.tolist()
    for node in pieces:
        root = join(root, node, np.inf)
    return ordered_tree(np.array(merges, np.int64).reshape(-1, 2), np.array(heights))


def joined_in_order(
    graph: RegionGraph,
    nodes: NDArray[np.intp],
    target: NDArray[np.intp],
    heights: Floats,
    join: Callable[[int, int, float], int],
) -> tuple[RegionGraph, NDArray[np.intp]]:
    """Join the regions of equal target, and return the graph and the tree node of each region.

    Args:
        graph: R regions.
        nodes: (R,) tree node of each region.
        target: (R,) new number of each region.
        heights: (R,) the height at which a region joins those before it of the same target.
        join: makes a tree node of two nodes at a height.
    """
    made: dict[int, int] = {}
    for node, new, height in zip(nodes.tolist(), target.tolist(), heights.tolist(), strict=True):
        made[new] = join(made[new], node, height) if new in made else node
    return graph.joined(target), np.array([made[new] for new in range(len(made))])


def mutually_best(pairs: NDArray[np.intp], costs: Floats, regions: int) -> NDArray[np.intp]:
    """Indices of the pairs that are cheapest for both their regions, cheapest first.

    Equal costs rank in the order of the pairs, so no region is in two of the returned pairs.
    """
    order = np.argsort(costs, kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    best = np.full(regions, len(order))
    np.minimum.at(best, pairs, rank[:, None])
    mutual = (best[pairs] == rank[:, None]).all(axis=1)
    best_pairs: NDArray[np.intp] = order[mutual[order]]
    return best_pairs


def ordered_tree(merges: NDArray[np.int64], heights: Floats) -> MergeTree:
    """A tree whose merges are sorted by height, children always before parents.

    Args:
        merges: (n - 1, 2) in an order in which children come before parents.
        heights: (n - 1,), nowhere lower than those of the children.
    """
    leaves = len(merges) + 1
    order = np.argsort(heights, kind="stable")
    number = np.arange(2 * leaves - 1)
    number[leaves + order] = leaves + np.arange(len(merges))
    return MergeTree(number[merges[order]].astype(np.int32), heights[order])
