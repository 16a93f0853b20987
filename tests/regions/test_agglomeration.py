import numpy as np
import pytest

from segmint.regions.agglomeration import agglomerate, boundary_probability, mutually_best
from segmint.regions.cues import CHANNEL_SIZES, Channel
from segmint.regions.cutting import chosen_cut
from segmint.regions.region_graph import RegionGraph, pair_features, region_graph


def measured(labels: np.ndarray, seed: int = 0) -> RegionGraph:
    rng = np.random.default_rng(seed)
    channels: list[Channel] = []
    for bins in CHANNEL_SIZES:
        shares = rng.random((bins, *labels.shape)).astype(np.float32)
        channels.append(shares / shares.sum(axis=0))
    strength = rng.random(labels.shape).astype(np.float32)
    lab = (rng.random((*labels.shape, 3)) * 50).astype(np.float32)
    return region_graph(labels.astype(np.int32), channels, strength, lab)


def blocks() -> np.ndarray:
    return np.kron(np.arange(12).reshape(3, 4), np.ones((3, 3), np.int64))


def test_joining_regions_equals_measuring_the_joined_labels() -> None:
    target = np.array([0, 0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 2])
    joined = measured(blocks()).joined(target)
    expected = measured(target[blocks()])
    for name in ("areas", "perimeters", "histograms", "lengths", "boundary_sums", "pairs"):
        np.testing.assert_allclose(getattr(joined, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(joined.members, target)


def test_features_agree_with_their_definitions() -> None:
    graph = measured(blocks())
    features = np.exp(pair_features(graph))
    first, second = graph.pairs[0]
    left, right = (graph.histograms[i, :16] / graph.areas[i] for i in (first, second))
    chi = np.sqrt(0.5 * np.sum((left - right) ** 2 / (left + right + 1e-6)))
    assert features[0, 0] == pytest.approx(graph.boundary_sums[0, 0] / 3 + 0.1)
    assert features[0, 1] == pytest.approx(graph.boundary_sums[0, 1] / 3 + 1)
    assert features[0, 2] == pytest.approx(chi + 0.1)
    assert features[0, 6] == pytest.approx(features[0, 2:6].max())
    np.testing.assert_allclose(features[0, 7:], [9 / 108, 9 / 108, 3 / 12])


def test_mutually_best_agrees_with_a_loop() -> None:
    rng = np.random.default_rng(3)
    pairs = np.array([(i, j) for i in range(8) for j in range(i + 1, 8)])
    costs = rng.permutation(len(pairs)).astype(float)
    expected = [
        index
        for index in np.argsort(costs, kind="stable")
        if all(costs[index] <= costs[(pairs == end).any(axis=1)].min() for end in pairs[index])
    ]
    assert mutually_best(pairs, costs, 8).tolist() == expected


def test_the_tree_is_complete_and_its_heights_are_probabilities() -> None:
    tree = agglomerate(measured(blocks()))
    assert tree.leaves == 12
    assert (tree.heights > 0).all()
    assert (tree.heights < 1).all()


def test_the_first_merge_is_the_least_probable_boundary() -> None:
    graph = measured(blocks())
    tree = agglomerate(graph)
    probability = boundary_probability(graph)
    assert tree.heights[0] == pytest.approx(probability.min())
    assert tree.merges[0].tolist() == graph.pairs[probability.argmin()].tolist()


def test_regions_without_a_common_boundary_join_last_at_infinity() -> None:
    labels = blocks()
    labels[:, 3:6] = -1
    labels = np.where(labels < 0, -1, np.searchsorted(np.unique(labels[labels >= 0]), labels))
    tree = agglomerate(measured(labels))
    assert np.isinf(tree.heights).tolist() == [False] * 7 + [True]
    halves = tree.cut(2)
    assert len(np.unique(halves[np.unique(labels[:, :3])])) == 1
    assert len(np.unique(halves[np.unique(labels[:, 6:])])) == 1


def test_a_finer_cut_has_no_fewer_components() -> None:
    graph = measured(blocks())
    tree = agglomerate(graph)
    counts = [chosen_cut(tree, graph.areas, fineness).max() + 1 for fineness in (0, 0.25, 0.5, 1)]
    assert counts == sorted(counts)
