import numpy as np
import pytest

from segmint.regions.merge_tree import MergeTree
from segmint.regions.seeding import leaf_scribbles, meeting_heights, walker_chances

PAIRS = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [0, 3], [1, 4]])


def test_chances_agree_with_walks() -> None:
    """Chances are those of the Markov chain, summed up step by step."""
    rng = np.random.default_rng(0)
    weights, stopping = rng.random(6) + 0.1, rng.random(5) + 0.1
    priors = rng.dirichlet(np.ones(3), 5)
    marks = np.array([0, -1, -1, -1, 2], np.int32)
    moves = np.zeros((5, 5))
    moves[tuple(PAIRS.T)] = moves[tuple(PAIRS[:, ::-1].T)] = weights
    total = moves.sum(axis=1) + stopping
    ended = np.zeros((5, 3))
    here = np.eye(5)
    for _ in range(500):
        stopped = np.where(marks >= 0, 1, stopping / total)
        where = np.where(marks[:, None] >= 0, np.eye(3)[marks], priors)
        ended += (here * stopped) @ where
        here = (here * (1 - stopped)) @ (moves / moves.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(walker_chances(PAIRS, weights, stopping, priors, marks), ended)
    np.testing.assert_allclose(ended.sum(axis=1), 1)


def test_a_leaf_without_neighbors_stops_where_it_is() -> None:
    priors = np.array([[0.5, 0.5], [0.5, 0.5], [0.3, 0.7]])
    marks = np.array([0, 1, -1], np.int32)
    chances = walker_chances(np.array([[0, 1]]), np.ones(1), np.ones(3), priors, marks)
    np.testing.assert_allclose(chances, [[1, 0], [0, 1], [0.3, 0.7]])


def test_leaves_meet_where_a_cut_first_joins_them() -> None:
    merges = np.array([[0, 3], [1, 5], [2, 4], [6, 7]], np.int32)
    tree = MergeTree(merges, np.array([0.1, 0.2, 0.2, 0.9]))
    expected = []
    for first, second in PAIRS:
        cuts = [tree.cut_at(height) for height in tree.heights]
        joined = [cut[first] == cut[second] for cut in cuts]
        expected.append(tree.heights[joined.index(True)])
    assert meeting_heights(tree, PAIRS).tolist() == expected


def test_a_leaf_has_the_number_of_its_scribble() -> None:
    leaves = np.array([[0, 0, 1], [2, 2, -1]], np.int32)
    marks = np.array([[-1, 4, -1], [0, -1, -1]], np.int32)
    assert leaf_scribbles(leaves, marks).tolist() == [4, -1, 0]


@pytest.mark.parametrize("count", [1, 2])
def test_all_leaves_may_be_scribbled(count: int) -> None:
    marks = np.arange(count, dtype=np.int32)
    pairs, priors = np.empty((0, 2), np.intp), np.ones((count, count)) / count
    chances = walker_chances(pairs, np.empty(0), np.ones(count), priors, marks)
    np.testing.assert_array_equal(chances, np.eye(count))
