import numpy as np
import pytest

from segmint.errors import InputError, UsageError
from segmint.regions.hybrid import HybridHierarchy, hybrid_segmentation


def scene(height: int = 48, width: int = 64, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A noisy photo of a disc and a bar on a ground, and the true labels."""
    rows, columns = np.mgrid[:height, :width]
    truth = np.zeros((height, width), np.int32)
    truth[(rows - height / 2) ** 2 + (columns - width / 4) ** 2 < (height / 4) ** 2] = 1
    truth[:, -width // 4 :] = 2
    colors = np.array([[0.2, 0.5, 0.2], [0.8, 0.2, 0.2], [0.3, 0.4, 0.9]])
    noise = np.random.default_rng(seed).normal(scale=0.03, size=(height, width, 3))
    return np.clip(colors[truth] + noise, 0, 1).astype(np.float32), truth


def overlap(labels: np.ndarray, mask: np.ndarray) -> float:
    return max(
        np.count_nonzero((labels == k) & mask) / np.count_nonzero((labels == k) | mask)
        for k in np.unique(labels)
    )


def check_contract(result: HybridHierarchy, inside: np.ndarray) -> None:
    leaves = result.tree.leaves
    assert result.leaves.dtype == result.assignment.dtype == np.int32
    np.testing.assert_array_equal(result.leaves >= 0, inside)
    assert result.leaves.max() < leaves
    assert result.assignment.shape == (leaves,)
    count = result.assignment.max() + 1
    assert sorted(set(result.assignment.tolist())) == list(range(count))
    assert result.boundary_strength.dtype == np.float32


def test_the_objects_of_a_scene_are_found() -> None:
    image, truth = scene()
    result = hybrid_segmentation(image)
    check_contract(result, np.ones(truth.shape, bool))
    for label in range(3):
        assert overlap(result.labels, truth == label) > 0.85


def test_three_components_are_the_objects_and_every_number_is_exact() -> None:
    image, truth = scene()
    result = hybrid_segmentation(image, components=3)
    for label in range(3):
        assert overlap(result.labels, truth == label) > 0.85
    for components in range(1, result.tree.leaves + 1):
        assert len(np.unique(result.tree.cut(components)[result.leaves])) == components


def test_the_same_seed_gives_the_same_result() -> None:
    image, _ = scene()
    first, second = (hybrid_segmentation(image, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.leaves, second.leaves)
    np.testing.assert_array_equal(first.tree.merges, second.tree.merges)
    np.testing.assert_array_equal(first.assignment, second.assignment)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 40), (40, 1), (2, 2), (17, 23)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 100])
def test_any_size_and_number_of_channels(shape: tuple[int, int], channels: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((*shape, channels)).astype(np.float32)
    check_contract(hybrid_segmentation(image, components=1), np.ones(shape, bool))
    check_contract(hybrid_segmentation(image), np.ones(shape, bool))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, -3.0, 1e6, np.nan])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_constant_image_is_one_region(value: float, channels: int) -> None:
    result = hybrid_segmentation(np.full((20, 30, channels), value, np.float32))
    assert result.tree.leaves == 1
    np.testing.assert_array_equal(result.labels, 0)
    assert result.boundary_strength.max() < 1e-3


def test_only_the_region_is_segmented() -> None:
    image, truth = scene()
    region = np.zeros(truth.shape, bool)
    region[8:40, 4:60] = True
    result = hybrid_segmentation(image, region=region)
    check_contract(result, region)
    assert overlap(result.labels, (truth == 1) & region) > 0.85
    changed = np.where(region[..., None], image, np.float32(0.77))
    again = hybrid_segmentation(changed, region=region)
    np.testing.assert_array_equal(result.labels, again.labels)


def test_pieces_of_a_region_are_never_one_component_unless_asked_for() -> None:
    image, truth = scene()
    region = np.ones(truth.shape, bool)
    region[:, 30:34] = False
    result = hybrid_segmentation(image, region=region)
    assert not set(result.labels[:, :30].ravel()) & set(result.labels[:, 34:].ravel())
    assert len(np.unique(result.tree.cut(1))) == 1


def test_scribbles_name_whole_objects() -> None:
    image, truth = scene()
    scribbles = np.full(truth.shape, -1, np.int32)
    scribbles[2, 2:40], scribbles[20:28, 16], scribbles[5:40, -4] = 0, 7, 3
    result = hybrid_segmentation(image, scribbles=scribbles)
    labels = result.labels
    assert labels.max() == 2
    for identity, label in ((0, 0), (7, 1), (3, 2)):
        inside = np.unique(labels[scribbles == identity])
        assert len(inside) == 1
        assert overlap((labels == inside[0]).astype(int), truth == label) > 0.85


@pytest.mark.parametrize("working_pixels", [200_000, 700])
def test_every_scribbled_pixel_keeps_its_id_even_without_any_edge(working_pixels: int) -> None:
    image = np.full((48, 64, 3), 0.4, np.float32)
    scribbles = np.full((48, 64), -1, np.int32)
    scribbles[10, 3:60], scribbles[11, 20:40], scribbles[30:32, 5] = 1, 2, 9
    result = hybrid_segmentation(image, scribbles=scribbles, working_pixels=working_pixels)
    found = [np.unique(result.labels[scribbles == identity]).tolist() for identity in (1, 2, 9)]
    assert sorted(found) == [[0], [1], [2]]


def test_thin_scribbles_that_others_cover_at_working_size_are_kept() -> None:
    image, truth = scene(192, 256)
    scribbles = np.full(truth.shape, -1, np.int32)
    scribbles[90:93, 20:100], scribbles[93, 20:100:3], scribbles[94, 20:100:3] = 0, 1, 2
    scribbles[10, 10:250] = 3
    result = hybrid_segmentation(image, scribbles=scribbles, working_pixels=2000)
    marked = scribbles >= 0
    np.testing.assert_array_equal(result.labels[marked], scribbles[marked])
    scribbles[:] = -1
    scribbles[0, :3] = 0, 1, 2
    with pytest.raises(InputError, match="increase working_pixels"):
        hybrid_segmentation(image, scribbles=scribbles, working_pixels=12)


def test_every_scribble_may_be_a_single_leaf_and_none_be_left() -> None:
    image = np.random.default_rng(0).random((2, 3, 3)).astype(np.float32)
    scribbles = np.arange(6).reshape(2, 3)
    result = hybrid_segmentation(image, scribbles=scribbles)
    np.testing.assert_array_equal(result.labels, scribbles)


def test_pieces_of_a_region_without_a_scribble_go_to_what_they_look_like() -> None:
    image, truth = scene()
    region = np.ones(truth.shape, bool)
    region[:, 46:50] = False
    image[:24, 50:] = image[:24, :14]
    scribbles = np.full(truth.shape, -1, np.int32)
    scribbles[2, 2:40], scribbles[20:28, 16] = 5, 8
    labels = hybrid_segmentation(image, region=region, scribbles=scribbles).labels
    assert np.unique(labels[~region]).tolist() == [-1]
    assert np.mean(labels[:20, 54:] == 0) > 0.9
    assert set(np.unique(labels[:, 50:])) <= {0, 1}


def test_large_images_are_segmented_at_working_size_and_refined() -> None:
    image, truth = scene(192, 256)
    result = hybrid_segmentation(image, working_pixels=6000, components=3)
    check_contract(result, np.ones(truth.shape, bool))
    assert result.boundary_strength.size <= 6000
    for label in range(3):
        assert overlap(result.labels, truth == label) > 0.9


def test_a_finer_cut_has_no_fewer_components() -> None:
    image, _ = scene()
    counts = [hybrid_segmentation(image, fineness=f).assignment.max() for f in (0, 0.5, 1)]
    assert counts == sorted(counts)


def test_what_cannot_be_segmented_is_refused() -> None:
    image, truth = scene()
    with pytest.raises(InputError, match="shape"):
        hybrid_segmentation(image[..., 0])
    with pytest.raises(InputError, match="region"):
        hybrid_segmentation(image, region=np.zeros(truth.shape, bool))
    with pytest.raises(InputError, match="scribbles"):
        hybrid_segmentation(image, scribbles=np.zeros((3, 3), np.uint8))
    with pytest.raises(UsageError, match="fineness"):
        hybrid_segmentation(image, fineness=2)
    with pytest.raises(UsageError, match="working_pixels"):
        hybrid_segmentation(image, working_pixels=0)
    with pytest.raises(UsageError, match="components"):
        hybrid_segmentation(image, components=0)
    with pytest.raises(UsageError, match="components is 5, but the scribbles hold 3 ids"):
        hybrid_segmentation(image, scribbles=truth, components=5)
    with pytest.raises(UsageError, match="ask for 1 to"):
        hybrid_segmentation(image, components=100_000)
