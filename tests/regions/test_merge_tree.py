import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, linkage

from segmint.errors import UsageError
from segmint.regions.merge_tree import MergeTree


def random_tree(leaves: int, seed: int) -> tuple[MergeTree, np.ndarray]:
    points = np.random.default_rng(seed).normal(size=(leaves, 2))
    table = linkage(points, "average")
    return MergeTree(table[:, :2].astype(np.int32), table[:, 2]), table


def same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = np.unique(np.stack([first, second]), axis=1).shape[1]
    return pairs == len(np.unique(first)) == len(np.unique(second))


@pytest.mark.parametrize("seed", range(3))
def test_cut_agrees_with_scipy_for_every_number_of_components(seed: int) -> None:
    tree, table = random_tree(12, seed)
    for components in range(1, 13):
        labels = tree.cut(components)
        assert labels.dtype == np.int32
        assert sorted(set(labels.tolist())) == list(range(components))
        assert same_partition(labels, cut_tree(table, n_clusters=components).ravel())


def test_cut_at_a_height_does_the_merges_up_to_that_height() -> None:
    tree, _ = random_tree(9, 0)
    for done, height in enumerate(tree.heights, 1):
        assert same_partition(tree.cut_at(height), tree.cut(9 - done))
    assert tree.cut_at(-1).tolist() == list(range(9))


def test_components_are_numbered_by_their_first_leaf() -> None:
    tree = MergeTree(np.array([[1, 2], [0, 3]], np.int32), np.array([1.0, 2.0]))
    assert tree.cut(2).tolist() == [0, 1, 1]


def test_a_merge_above_one_that_is_not_done_is_not_done() -> None:
    tree = MergeTree(np.array([[0, 1], [3, 2]], np.int32), np.array([1.0, 2.0]))
    assert tree.cut_where(np.array([False, True])).tolist() == [0, 1, 2]


def test_a_single_leaf() -> None:
    tree = MergeTree(np.empty((0, 2), np.int32), np.empty(0))
    assert tree.leaves == 1
    assert tree.cut(1).tolist() == [0]
    assert tree.cut_at(0.0).tolist() == [0]


def test_accumulate_sums_the_leaves_below_every_node() -> None:
    tree = MergeTree(np.array([[0, 1], [2, 3]], np.int32), np.array([1.0, 2.0]))
    assert tree.accumulate(np.array([1.0, 2.0, 4.0])).tolist() == [1, 2, 4, 3, 7]


@pytest.mark.parametrize("components", [0, 4])
def test_impossible_numbers_of_components_are_refused(components: int) -> None:
    tree = MergeTree(np.array([[0, 1], [2, 3]], np.int32), np.array([1.0, 2.0]))
    with pytest.raises(UsageError, match="accepted are 1 to 3"):
        tree.cut(components)


@pytest.mark.parametrize(
    ("merges", "heights"),
    [
        ([[0, 1], [2, 3]], [2.0, 1.0]),
        ([[0, 1], [2, 3]], [1.0, np.nan]),
        ([[0, 4], [2, 1]], [1.0, 2.0]),
        ([[0, 1], [1, 2]], [1.0, 2.0]),
        ([[0, 1], [2, 3]], [1.0]),
    ],
)
def test_what_is_not_a_tree_is_refused(merges: list[list[int]], heights: list[float]) -> None:
    with pytest.raises(ValueError, match="must"):
        MergeTree(np.array(merges, np.int32), np.array(heights))
