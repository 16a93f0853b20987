import numpy as np
import pytest

from segmint.regions.adjacency import region_adjacency


def by_hand(labels: np.ndarray, strength: np.ndarray) -> dict[tuple[int, int], list[float]]:
    found: dict[tuple[int, int], list[float]] = {}
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] == height or other[1] == width:
                    continue
                pair = sorted((int(labels[row, column]), int(labels[other])))
                if pair[0] != pair[1] and pair[0] >= 0:
                    mean = (strength[row, column] + strength[other]) / 2
                    found.setdefault((pair[0], pair[1]), []).append(float(mean))
    return found


@pytest.mark.parametrize("shape", [(7, 9), (1, 8), (8, 1), (1, 1)])
def test_pairs_lengths_and_means_agree_with_a_loop(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(-1, 4, shape)
    labels.flat[0] = 3
    strength = rng.random(shape)
    graph = region_adjacency(labels)
    expected = by_hand(labels, strength)
    assert [tuple(pair) for pair in graph.pairs.tolist()] == sorted(expected)
    np.testing.assert_array_equal(graph.lengths, [len(expected[k]) for k in sorted(expected)])
    np.testing.assert_allclose(
        graph.boundary_means(strength), [np.mean(expected[k]) for k in sorted(expected)]
    )


def test_perimeters_count_all_sides_towards_anything_else() -> None:
    graph = region_adjacency(np.array([[0, 0, 1], [0, 0, -1]]))
    assert graph.perimeters.tolist() == [8, 4]
    assert graph.pairs.tolist() == [[0, 1]]
