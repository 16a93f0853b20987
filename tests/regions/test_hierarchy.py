from __future__ import annotations

import numpy as np
import pytest

from segmint.errors import UsageError
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.merge_tree import MergeTree


@pytest.fixture
def hierarchy() -> RegionHierarchy:
    """Leaves 0 and 2 join first, then 1 and 3, then all."""
    return RegionHierarchy(
        leaves=np.array([[0, 1, 2], [3, -1, 2]], np.int32),
        tree=MergeTree(
            merges=np.array([[0, 2], [1, 3], [4, 5]], np.int32), heights=np.array([0.1, 0.2, 0.9])
        ),
        assignment=np.arange(4, dtype=np.int32),
    )


def test_labels(hierarchy: RegionHierarchy) -> None:
    assert hierarchy.labels.tolist() == [[0, 1, 2], [3, -1, 2]]
    assert hierarchy.labels.dtype == np.int32


@pytest.mark.parametrize(
    ("components", "groups"),
    [
        (4, [{0}, {1}, {2}, {3}]),
        (3, [{0, 2}, {1}, {3}]),
        (2, [{0, 2}, {1, 3}]),
        (1, [{0, 1, 2, 3}]),
    ],
)
def test_cut(hierarchy: RegionHierarchy, components: int, groups: list[set[int]]) -> None:
    cut = hierarchy.with_components(components)
    found = [set(np.flatnonzero(cut.assignment == k).tolist()) for k in range(components)]
    assert sorted(found, key=min) == groups
    assert cut.labels[1, 1] == -1
    assert sorted(set(cut.labels.ravel().tolist())) == [-1, *range(components)]


def test_a_cut_can_be_cut_again(hierarchy: RegionHierarchy) -> None:
    again = hierarchy.with_components(1).with_components(4)
    np.testing.assert_array_equal(again.labels, hierarchy.labels)


@pytest.mark.parametrize("components", [0, 5, -1])
def test_number_that_cannot_be_had(hierarchy: RegionHierarchy, components: int) -> None:
    with pytest.raises(UsageError, match=f"--components is {components}, but 4 regions were found"):
        hierarchy.with_components(components)


@pytest.mark.parametrize(
    ("height", "expected"), [(0.0, 4), (0.1, 3), (0.15, 3), (0.2, 2), (0.5, 2), (1.0, 1)]
)
def test_cut_by_height(hierarchy: RegionHierarchy, height: float, expected: int) -> None:
    assert len(set(hierarchy.tree.cut_at(height).tolist())) == expected


def test_one_leaf() -> None:
    tree = MergeTree(merges=np.empty((0, 2), np.int32), heights=np.empty(0))
    assert tree.leaves == 1
    assert tree.cut(1).tolist() == [0]
