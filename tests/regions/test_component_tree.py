from __future__ import annotations

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.regions.component_tree import component_tree, shared_boundaries


@st.composite
def maps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels 0..n-1, each present, -1 outside; and a feature vector of each."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    drawn = draw(arrays.arrays(np.int32, shape, elements=st.integers(-1, 5)))
    drawn[0, 0] = max(drawn[0, 0], 0)
    ids = np.unique(drawn[drawn >= 0])
    labels = np.where(drawn < 0, -1, np.searchsorted(ids, drawn)).astype(np.int32)
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    return labels, generator.normal(size=(len(ids), draw(st.integers(1, 4))))


def boundary(labels: np.ndarray, first: set[int], second: set[int]) -> int:
    """Pairs of neighboring pixels of two sets of components, one by one."""
    height, width = labels.shape
    pairs = 0
    for row in range(height):
        for column in range(width):
            here = labels[row, column]
            for down, right in ((0, 1), (1, 0)):
                if row + down < height and column + right < width:
                    there = labels[row + down, column + right]
                    pairs += here in first and there in second
                    pairs += here in second and there in first
    return pairs


def cost(labels: np.ndarray, features: np.ndarray, groups: list[set[int]], i: int, j: int) -> float:
    """What joining two groups costs, from the pixels and the features of the leaves."""
    areas = [int(np.isin(labels, [*group]).sum()) for group in (groups[i], groups[j])]
    means = [
        sum((labels == leaf).sum() * features[leaf] for leaf in group) / area
        for group, area in zip((groups[i], groups[j]), areas, strict=True)
    ]
    ward = areas[0] * areas[1] / sum(areas) * ((means[0] - means[1]) ** 2).sum()
    perimeters = [
        sum(boundary(labels, groups[k], other) for other in groups if other is not groups[k])
        for k in (i, j)
    ]
    share = boundary(labels, groups[i], groups[j]) / max(min(perimeters), 1)
    return float(ward / (1 + share) / (labels >= 0).sum())


def brute_force(labels: np.ndarray, features: np.ndarray) -> tuple[list[set[frozenset[int]]], list]:
    """The partition after each merge, and the running maximum of the costs."""
    groups = [{leaf} for leaf in range(len(features))]
    partitions, heights = [], [0.0]
    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        best = min(pairs, key=lambda pair: cost(labels, features, groups, *pair))
        heights.append(max(heights[-1], cost(labels, features, groups, *best)))
        groups[best[0]] |= groups.pop(best[1])
        partitions.append({frozenset(group) for group in groups})
    return partitions, heights[1:]


@given(maps())
def test_is_a_brute_force_agglomeration(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, features = case
    before = features.copy()
    tree = component_tree(labels, features)
    partitions, heights = brute_force(labels, features)
    assert tree.leaves == len(features)
    np.testing.assert_allclose(tree.heights, heights, rtol=1e-6, atol=1e-12)
    assert (np.diff(tree.heights) >= 0).all()
    for merged, expected in enumerate(partitions, start=1):
        components = tree.cut(tree.leaves - merged)
        found = {frozenset(np.flatnonzero(components == k).tolist()) for k in set(components)}
        assert found == expected
    np.testing.assert_array_equal(features, before)


@given(maps())
def test_shared_boundaries(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, features = case
    found = shared_boundaries(labels, len(features))
    for i in range(len(features)):
        for j in range(len(features)):
            assert found[i, j] == (0 if i == j else boundary(labels, {i}, {j}))


def test_a_large_image_does_not_overflow() -> None:
    labels = np.zeros((300, 300), np.int32)
    labels[:, 100:200], labels[:, 200:] = 1, 2
    tree = component_tree(labels, np.array([[0.0], [1e6], [1e6 + 1]]))
    assert tree.cut(2).tolist() == [0, 1, 1]


def test_of_equally_near_components_the_touching_one_is_joined() -> None:
    labels = np.array([[0, 0, 1, 1, 2, 2]], np.int32)
    tree = component_tree(labels, np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]]))
    # All three are at distance 1 and of one area; 0 and 2 do not touch.
    assert tree.cut(2).tolist() != [0, 1, 0]
