from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import segmint
from segmint.errors import InputError, OutputError, UsageError
from segmint.images import Image, read_labels
from segmint.methods.segmentation import RESULT
from segmint.methods.storage import load_segmentation

FILES = {"labels.png", "overlay.png", "components.csv", "hierarchy.npz", "result.json"}


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    generator = np.random.default_rng(0)
    base = np.kron([[20, 90, 160], [200, 120, 60]], np.ones((10, 8)))
    return np.clip(base + generator.normal(0, 10, base.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def found(picture: np.ndarray) -> segmint.Segmentation:
    region = np.ones(picture.shape, bool)
    region[:3, :4] = False
    return segmint.segment(
        picture,
        "clustering",
        region=region,
        seed=2,
        features=10,
        max_components=12,
        iterations=5,
        superpixel_scale=0.0,
    )


def test_round_trip(tmp_path: Path, picture: np.ndarray, found: segmint.Segmentation) -> None:
    folder = found.save(tmp_path / "result", picture)
    assert {file.name for file in folder.iterdir()} == FILES
    again, image = load_segmentation(folder)
    assert image is None
    np.testing.assert_array_equal(again.labels, found.labels)
    assert again.labels.dtype == np.int32
    assert again.method == "clustering"
    assert again.options == found.options
    assert again.seed == 2
    assert again.history == found.history
    assert again.notes == found.notes
    assert again.seconds == pytest.approx(found.seconds, abs=1e-4)


def test_without_an_image(tmp_path: Path, found: segmint.Segmentation) -> None:
    folder = found.save(tmp_path)
    assert {file.name for file in folder.iterdir()} == FILES - {"overlay.png", "components.csv"}


def test_image_is_found_again(tmp_path: Path, picture: np.ndarray) -> None:
    from PIL import Image as Pillow

    Pillow.fromarray(picture).save(tmp_path / "a.png")
    image = segmint.read_image(tmp_path / "a.png")
    segmint.segment(image, "kmeans", components=2).save(tmp_path / "result", image)
    _, again = load_segmentation(tmp_path / "result")
    np.testing.assert_array_equal(again.pixels, image.pixels)
    Pillow.fromarray(picture[:5]).save(tmp_path / "a.png")
    assert load_segmentation(tmp_path / "result")[1] is None
    (tmp_path / "a.png").write_text("no longer an image")
    assert load_segmentation(tmp_path / "result")[1] is None


@pytest.mark.parametrize("components", [1, 2, 3])
def test_another_number_of_components(found: segmint.Segmentation, components: int) -> None:
    cut = found.with_components(components)
    assert cut.components == components
    assert cut.options["components"] == components
    np.testing.assert_array_equal(cut.labels == -1, found.labels == -1)
    assert (np.diff(np.bincount(cut.labels[cut.labels >= 0])) <= 0).all()
    # Every component of the coarse cut is a union of components of the fine one.
    pairs = np.unique(np.stack([found.labels.ravel(), cut.labels.ravel()]), axis=1)
    assert len(pairs[0]) == len(np.unique(found.labels))


def test_cut_after_loading_is_the_same(tmp_path: Path, found: segmint.Segmentation) -> None:
    again, _ = load_segmentation(found.save(tmp_path))
    np.testing.assert_array_equal(again.with_components(2).labels, found.with_components(2).labels)
    cut, _ = load_segmentation(again.with_components(2).save(tmp_path / "cut"))
    np.testing.assert_array_equal(cut.with_components(3).labels, found.with_components(3).labels)


@pytest.mark.parametrize("components", [0, 1000])
def test_number_of_components_that_cannot_be_had(
    found: segmint.Segmentation, components: int
) -> None:
    with pytest.raises(UsageError, match=f"--components is {components}"):
        found.with_components(components)


def test_method_without_a_merge_tree(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="a result of 'kmeans' has no merge tree"):
        segmint.segment(picture, "kmeans", components=2).with_components(1)


def test_overlay(picture: np.ndarray, found: segmint.Segmentation) -> None:
    drawn = found.overlay(picture)
    assert drawn.shape == (*picture.shape, 3)
    assert drawn.dtype == np.uint8
    with pytest.raises(InputError):
        found.overlay(picture[:5])


def test_overlay_of_a_stack_shows_the_middle(picture: np.ndarray) -> None:
    stack = np.stack([picture, picture[::-1], picture])
    found = segmint.segment(Image.from_array(stack, stack=True), "kmeans", components=2)
    assert found.overlay(stack).shape == (*picture.shape, 3)


def test_probabilities_of_hard_methods(picture: np.ndarray) -> None:
    assert segmint.segment(picture, "kmeans", components=2).probabilities is None


def test_stack_round_trip(tmp_path: Path, picture: np.ndarray) -> None:
    image = Image.from_array(np.stack([picture, picture[::-1]]), stack=True)
    found = segmint.segment(image, "kmeans", components=2)
    again, _ = load_segmentation(found.save(tmp_path, image))
    np.testing.assert_array_equal(again.labels, found.labels)


def test_saving_again_replaces_the_result(
    tmp_path: Path, picture: np.ndarray, found: segmint.Segmentation
) -> None:
    (tmp_path / "note.txt").write_text("mine")
    found.save(tmp_path, picture)
    found.with_components(2).save(tmp_path, picture)
    assert load_segmentation(tmp_path)[0].components == 2
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_a_stale_file_of_another_result_does_not_stay(
    tmp_path: Path, picture: np.ndarray, found: segmint.Segmentation
) -> None:
    found.save(tmp_path, picture)
    segmint.segment(picture, "kmeans", components=2).save(tmp_path, picture)
    again, _ = load_segmentation(tmp_path)
    assert again.method == "kmeans"
    assert again.hierarchy is None


def test_image_of_another_size(tmp_path: Path, found: segmint.Segmentation) -> None:
    with pytest.raises(InputError):
        found.save(tmp_path / "result", np.zeros((3, 4), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written(tmp_path: Path, found: segmint.Segmentation) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        found.save(tmp_path / "file" / "result")


class TestRecord:
    def test_says_how_it_was_made(
        self, tmp_path: Path, picture: np.ndarray, found: segmint.Segmentation
    ) -> None:
        record = json.loads((found.save(tmp_path, picture) / RESULT).read_text())
        assert record["labels"] == "labels.png"
        assert record["shape"] == list(picture.shape)
        assert record["components"] == found.components
        assert record["options"]["features"] == 10
        assert "torch" in record["versions"]
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.png"), found.labels)

    @pytest.mark.parametrize("text", ["", "[]", "3", "null", "{}", '{"labels": "labels.png"}', "{"])
    def test_that_is_no_record(
        self, tmp_path: Path, found: segmint.Segmentation, text: str
    ) -> None:
        found.save(tmp_path)
        (tmp_path / RESULT).write_text(text)
        with pytest.raises(InputError):
            load_segmentation(tmp_path)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("seed", "x"), ("options", 3), ("history", None), ("seconds", []), ("labels", "a.png")],
    )
    def test_with_a_wrong_value(
        self, tmp_path: Path, found: segmint.Segmentation, name: str, value: object
    ) -> None:
        record = json.loads((found.save(tmp_path) / RESULT).read_text())
        (tmp_path / RESULT).write_text(json.dumps({**record, name: value}))
        with pytest.raises(InputError):
            load_segmentation(tmp_path)

    def test_of_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is not a finished result"):
            load_segmentation(tmp_path / "nothing")
