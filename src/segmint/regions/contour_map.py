"""The ultrametric contour map: a hierarchy as one picture of its boundaries.

Arbelaez, Maire, Fowlkes, Malik, "Contour Detection and Hierarchical Image Segmentation", PAMI
33(5), 2011, section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.merge_tree import MergeTree


def contour_strengths(hierarchy: RegionHierarchy) -> NDArray[np.float32]:
    """At each boundary pixel, the height at which the regions that meet there are joined.

    The pixels above a strength are the boundaries of the hierarchy cut there, all of them closed.
    A boundary lies at the pixel above it or left of it, as where the boundaries of segments are
    scored.

    Args:
        hierarchy: of an image (H, W).

    Returns:
        (H, W), 0 to 1, and 0 where all is one region. Heights that are probabilities stay as they
        are; where any finite one is above 1, all are divided by the largest. Infinite heights and
        the boundary of the region that was segmented are 1.

    Example:
        >>> leaves = np.array([[0, 0, 1, 2]] * 2, np.int32)
        >>> tree = MergeTree(np.array([[0, 1], [2, 3]], np.int32), np.array([0.25, 0.5]))
        >>> whole = RegionHierarchy(leaves=leaves, tree=tree, assignment=np.zeros(3, np.int32))
        >>> contour_strengths(whole).tolist()[0]
        [0.0, 0.25, 0.5, 0.0]
    """
    leaves = hierarchy.leaves
    strengths = np.zeros(leaves.shape, np.float32)
    down = _step_strengths(hierarchy.tree, leaves[:-1], leaves[1:])
    right = _step_strengths(hierarchy.tree, leaves[:, :-1], leaves[:, 1:])
    # The steps between the four pixels of a block, of which each pixel is the upper left one.
    for part, steps in (
        (strengths[:-1], down),
        (strengths[:-1, :-1], down[:, 1:]),
        (strengths[:, :-1], right),
        (strengths[:-1, :-1], right[1:]),
    ):
        np.maximum(part, steps, out=part)
    return strengths


def _step_strengths(
    tree: MergeTree, first: NDArray[np.int32], second: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Strength of the boundary between two leaves side by side; 0 within a leaf."""
    strengths = np.zeros(first.shape, np.float32)
    differs = first != second
    strengths[differs] = 1
    within = differs & (first >= 0) & (second >= 0)
    codes = first[within].astype(np.int64) * tree.leaves + second[within]
    pairs, of_step = np.unique(codes, return_inverse=True)
    joins = _joining_merges(tree, pairs // tree.leaves, pairs % tree.leaves)
    strengths[within] = _scaled(tree.heights)[joins][of_step]
    return strengths


def _scaled(heights: NDArray[np.float64]) -> NDArray[np.float32]:
    finite = np.isfinite(heights)
    largest = max(float(heights[finite].max(initial=0)), 1.0)
    return np.where(finite, heights / largest, 1).astype(np.float32)


def _joining_merges(
    tree: MergeTree, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The merge, (N,), that first has both of two leaves below it."""
    parents = np.zeros(2 * tree.leaves - 1, np.int64)
    parents[tree.merges] = np.arange(tree.leaves, len(parents))[:, None]
    joined = np.zeros(len(first), np.int64)
    apart = np.arange(len(first))
    # Parents have larger numbers, so that the smaller of two nodes is not above the other.
    while len(apart):
        first, second = np.minimum(first, second), np.maximum(first, second)
        first = parents[first]
        met = first == second
        joined[apart[met]] = first[met] - tree.leaves
        apart, first, second = apart[~met], first[~met], second[~met]
    return joined
