import numpy as np
from scipy.ndimage import label

from segmint.regions.watershed import absorb_small, split_by_scribbles, watershed_leaves


def test_basins_are_separated_by_a_ridge() -> None:
    strength = np.zeros((20, 21), np.float32)
    strength[:, 10] = 5
    leaves = watershed_leaves(strength, np.ones((20, 21), bool))
    assert leaves.max() == 1
    assert len(np.unique(leaves[:, :9])) == len(np.unique(leaves[:, 12:])) == 1


def test_leaves_are_connected_and_fill_the_mask() -> None:
    rng = np.random.default_rng(0)
    strength = (rng.random((40, 50)) * 4).astype(np.float32)
    mask = rng.random((40, 50)) < 0.8
    leaves = watershed_leaves(strength, mask)
    np.testing.assert_array_equal(leaves >= 0, mask)
    assert sorted(np.unique(leaves[mask])) == list(range(leaves.max() + 1))
    assert all(label(leaves == leaf)[1] == 1 for leaf in range(leaves.max() + 1))


def test_a_small_region_joins_across_its_weakest_boundary() -> None:
    labels = np.repeat(np.array([[0, 0, 0, 1, 2, 2, 2]], np.int32), 3, axis=0)
    strength = np.repeat(np.array([[0, 0, 3, 3, 1, 0, 0]], np.float32), 3, axis=0)
    joined = absorb_small(labels, strength, smallest=4)
    assert joined[0].tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_a_leaf_crossed_by_two_scribbles_is_split() -> None:
    leaves = np.zeros((5, 9), np.int32)
    leaves[:, 7:] = 1
    strength = np.zeros((5, 9), np.float32)
    strength[:, 3] = 1
    scribbles = np.full((5, 9), -1, np.int32)
    scribbles[2, 0], scribbles[2, 6] = 0, 1
    split = split_by_scribbles(leaves, strength, scribbles)
    assert sorted(np.unique(split)) == [0, 1, 2]
    assert len({split[2, 0], split[2, 6], split[2, 8]}) == 3
    np.testing.assert_array_equal(split[:, :3], split[2, 0])
    np.testing.assert_array_equal(split[:, 4:7], split[2, 6])
