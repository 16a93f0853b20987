from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.metrics.boundary_pixels import block_boundaries
from segmint.regions.contour_map import contour_strengths
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.hybrid import hybrid_segmentation
from segmint.regions.merge_tree import MergeTree


def hierarchy_of(leaves: np.ndarray, heights: list[float], seed: int) -> RegionHierarchy:
    """Leaves joined in a random order."""
    rng = np.random.default_rng(seed)
    roots, merges = list(range(len(heights) + 1)), []
    for index in range(len(heights)):
        pair = rng.choice(len(roots), 2, replace=False)
        merges.append([roots[place] for place in pair])
        roots = [root for place, root in enumerate(roots) if place not in pair]
        roots.append(len(heights) + 1 + index)
    tree = MergeTree(np.array(merges, np.int32).reshape(-1, 2), np.array(heights, np.float64))
    count = len(heights) + 1
    return RegionHierarchy(leaves=leaves, tree=tree, assignment=np.zeros(count, np.int32))


@st.composite
def hierarchies(draw: st.DrawFn) -> RegionHierarchy:
    """Up to twelve leaves in any pixels, with a region and with equal heights."""
    seed, count = draw(st.integers(0, 10_000)), draw(st.integers(1, 12))
    rng = np.random.default_rng(seed)
    leaves = rng.integers(-1, count, (7, 9)).astype(np.int32)
    heights = np.sort(rng.integers(1, 9, count - 1) / 8)
    return hierarchy_of(leaves, heights.tolist(), seed)


@given(hierarchies())
def test_levels_are_the_boundaries_of_cuts(hierarchy: RegionHierarchy) -> None:
    strengths = contour_strengths(hierarchy)
    assert strengths.dtype == np.float32
    for level in np.arange(9) / 8:
        cut = np.append(hierarchy.tree.cut_at(level), -1)[hierarchy.leaves]
        # The boundary of the region is at least as strong as any.
        assert np.array_equal(strengths > level, block_boundaries(cut)) or level == 1
    np.testing.assert_array_equal(strengths > 0, block_boundaries(hierarchy.leaves))


@given(st.integers(0, 1000), st.integers(2, 14))
def test_levels_are_the_components_asked_for(seed: int, count: int) -> None:
    """Of heights that differ, the strongest boundaries are those between few components."""
    rng = np.random.default_rng(seed)
    leaves = rng.integers(0, count, (6, 8)).astype(np.int32)
    heights = np.sort(rng.permutation(100)[: count - 1] + 1) / 101
    hierarchy = hierarchy_of(leaves, heights.tolist(), seed)
    strengths = contour_strengths(hierarchy)
    for components in range(1, count + 1):
        done = count - components
        below = heights[done - 1].astype(np.float32) if done else 0
        labels = hierarchy.with_components(components).labels
        np.testing.assert_array_equal(strengths > below, block_boundaries(labels))


def test_heights_without_bounds() -> None:
    leaves = np.array([[0, 1, 2, 3]], np.int32)
    tree = MergeTree(np.array([[0, 1], [2, 4], [3, 5]], np.int32), np.array([2.0, 8.0, np.inf]))
    hierarchy = RegionHierarchy(leaves=leaves, tree=tree, assignment=np.zeros(4, np.int32))
    assert contour_strengths(hierarchy).tolist() == [[0.25, 1, 1, 0]]


def test_the_edge_of_the_region_is_strongest() -> None:
    leaves = np.array([[0, 0, -1]], np.int32)
    tree = MergeTree(np.zeros((0, 2), np.int32), np.zeros(0))
    hierarchy = RegionHierarchy(leaves=leaves, tree=tree, assignment=np.zeros(1, np.int32))
    assert contour_strengths(hierarchy).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("components", [2, 5, 20])
def test_the_tree_of_an_image(components: int) -> None:
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((4, 5, 3)), np.ones((12, 12, 1)))
    image = np.clip(blocks + rng.normal(0, 0.02, blocks.shape), 0, 1).astype(np.float32)
    hierarchy = hybrid_segmentation(image)
    heights = hierarchy.tree.heights.astype(np.float32)
    strengths = contour_strengths(hierarchy)
    below = heights[len(heights) - components]
    if below < heights[len(heights) - components + 1]:
        labels = hierarchy.with_components(components).labels
        np.testing.assert_array_equal(strengths > below, block_boundaries(labels))
