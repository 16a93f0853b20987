"""From a few scribbled leaves to a scribble for every leaf: a random walker with priors.

Grady, "Multilabel random walker image segmentation using prior models" (CVPR 2005), on leaves
instead of pixels: a walker that starts at a leaf moves to neighbors, seldom across boundaries,
and now and then stops where it is, with each scribble in proportion to how likely the leaf is to
be of the same segment by its looks alone. A leaf belongs to the scribble at which its walker most
probably ends, by arriving or by stopping. Both the chance of a boundary and that of like looks
come from the regression that also joins regions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmint.regions.agglomeration import FEATURE_WEIGHTS
from segmint.regions.merge_tree import MergeTree
from segmint.regions.region_graph import (
    NOISE_FLOORS,
    Floats,
    RegionGraph,
    grouped,
    histogram_distances,
)

LOOKS = slice(2, 7)
"""The features of a pair that do not ask where the two regions lie."""
LOOKS_HEIGHT = 0.2
"""Leaves that join below this height are looked at together; a single leaf is too small."""
STOPPING_RATE = 0.01
"""How easily a walker stops, for each pixel of a leaf."""
CROSSING_RATE = 0.1
"""How easily it crosses the surest boundary, for each pixel side; elsewhere the squared odds that
there is no boundary are added."""
LOWEST_HEIGHT = 1e-3
"""Lower merges count as this one, which keeps the equations well conditioned."""


def seeded_assignment(
    graph: RegionGraph, tree: MergeTree, leaf_marks: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Scribble number of each leaf, (n,).

    Args:
        graph: the leaves.
        tree: how they join; its heights are probabilities of boundaries.
        leaf_marks: (n,) scribble numbers 0..K-1, each at least once, and -1 elsewhere. They stay.
    """
    likeness = likeness_to_scribbles(graph, tree, leaf_marks)
    odds = 1 / np.clip(meeting_heights(tree, graph.pairs), LOWEST_HEIGHT, 1) - 1
    moving, stopping = graph.lengths * (CROSSING_RATE + odds**2), STOPPING_RATE * graph.areas
    chances = walker_chances(graph.pairs, moving, stopping, likeness, leaf_marks)
    assignment: NDArray[np.int32] = chances.argmax(axis=1).astype(np.int32)
    return assignment


def leaf_scribbles(leaves: NDArray[np.int32], marks: NDArray[np.int32]) -> NDArray[np.int32]:
    """The one scribble number in each leaf, (n,), -1 for none.

    Args:
        leaves: (H, W), -1 outside.
        marks: (H, W) scribble numbers, -1 where there is none.
    """
    inside = leaves >= 0
    found = np.full(int(leaves.max()) + 1, -1, np.int32)
    np.maximum.at(found, leaves[inside], marks[inside])
    return found


def likeness_to_scribbles(
    graph: RegionGraph, tree: MergeTree, leaf_marks: NDArray[np.int32]
) -> Floats:
    """How much each leaf looks like each scribble, (n, K), rows sum to one.

    The likeness to a scribble is that to the most alike of its regions, in odds of the regression.
    """
    regions = tree.cut_at(LOOKS_HEIGHT).astype(np.intp)
    histograms, areas = grouped(regions, int(regions.max()) + 1, graph.histograms, graph.areas)
    shares = histograms / areas[:, None]
    evidence = np.full((len(areas), int(leaf_marks.max()) + 1), np.inf)
    for scribble in range(evidence.shape[1]):
        for region in np.unique(regions[leaf_marks == scribble]):
            distances = np.log(histogram_distances(shares, shares[region]) + NOISE_FLOORS[LOOKS])
            apart = distances @ FEATURE_WEIGHTS[LOOKS]
            evidence[:, scribble] = np.minimum(evidence[:, scribble], apart)
    likeness = np.exp(evidence.min(axis=1, keepdims=True) - evidence)
    likeness /= likeness.sum(axis=1, keepdims=True)
    leaf_likeness: Floats = likeness[regions]
    return leaf_likeness


def meeting_heights(tree: MergeTree, pairs: NDArray[np.intp]) -> Floats:
    """Height at which the two leaves of each pair, (P, 2), come together, (P,)."""
    parents = np.arange(2 * tree.leaves - 1)
    parents[tree.merges] = tree.leaves + np.arange(len(tree.merges))[:, None]
    nodes = pairs.copy()
    # Parents have larger numbers than children, so the smaller of two different nodes can go up.
    while (apart := np.flatnonzero(nodes[:, 0] != nodes[:, 1])).size:
        lower = nodes[apart].argmin(axis=1)
        nodes[apart, lower] = parents[nodes[apart, lower]]
    return tree.heights[nodes[:, 0] - tree.leaves]


def walker_chances(
    pairs: NDArray[np.intp],
    weights: Floats,
    stopping: Floats,
    priors: Floats,
    leaf_marks: NDArray[np.int32],
) -> Floats:
    """Chance that a walker from each leaf ends with each scribble, (n, K) (Grady, equation 12).

    Args:
        pairs: (P, 2) neighbors.
        weights: (P,) how easily the walker moves between them.
        stopping: (n,) how easily it stops, above 0.
        priors: (n, K) with which scribble it stops.
        leaf_marks: (n,) the scribble that ends every walk there, or -1.
    """
    from scipy.sparse import coo_array, diags_array
    from scipy.sparse.linalg import splu

    chances = np.zeros(priors.shape)
    marked, free = np.flatnonzero(leaf_marks >= 0), np.flatnonzero(leaf_marks < 0)
    chances[marked, leaf_marks[marked]] = 1
    if len(free) == 0:
        return chances
    first, second = pairs.T
    ends = (np.concatenate([first, second]), np.concatenate([second, first]))
    moves = coo_array((np.tile(weights, 2), ends), shape=(len(priors),) * 2).tocsr()[free]
    leaving = diags_array(moves.sum(axis=1) + stopping[free])
    system = (leaving - moves[:, free]).tocsc()
    target = moves[:, marked] @ chances[marked] + stopping[free, None] * priors[free]
    chances[free] = splu(system, permc_spec="MMD_AT_PLUS_A").solve(target)
    return chances
