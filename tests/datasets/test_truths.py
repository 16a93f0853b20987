"""What data sets give besides masks: the truth as it was drawn, and objects from class maps."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.io import savemat
from scipy.ndimage import label

from segmint import datasets
from segmint.datasets.bsds500 import segments_of
from segmint.datasets.nuclei import nuclei_mask, nuclei_of
from segmint.datasets.objects import grown_pieces
from segmint.images.borders import segment_borders
from segmint.metrics import rand_index
from segmint.metrics.instance_matching import aggregated_jaccard_index
from segmint.metrics.protocols import protocols

NUMBERS = np.zeros((24, 30), np.int32)
NUMBERS[2:10, 3:12] = 300
NUMBERS[10:20, 3:12] = 7
NUMBERS[5:15, 16:28] = 255
PHOTO = np.full((24, 30, 3), 90, np.uint8)


def save(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


@pytest.fixture
def nuclei(tmp_path: Path) -> Path:
    for name in "ab":
        save(tmp_path / "images" / f"{name}.png", PHOTO)
        save(tmp_path / "labels" / f"{name}.png", NUMBERS.astype(np.uint16))
    return tmp_path


@pytest.mark.parametrize("name", list(datasets.datasets))
def test_protocols_of_layouts_are_registered(name: str) -> None:
    for protocol in datasets.datasets.load(name).protocols:
        assert protocol in protocols


def test_fields_have_their_protocols() -> None:
    found = {name: datasets.datasets.load(name).protocols for name in datasets.datasets}
    assert {name: told for name, told in found.items() if told} == {
        "isbi2012": ("membranes",),
        "myops": ("surfaces",),
        "bsds500": ("boundaries",),
        "nuclei": ("instances",),
    }


class TestNuclei:
    @pytest.mark.parametrize("target", ["boundary", "foreground"])
    def test_numbers_as_they_were_drawn(self, nuclei: Path, target: str) -> None:
        opened = datasets.open("nuclei", nuclei, target=target)
        assert opened.protocols == ("instances",)
        for again in (opened, pickle.loads(pickle.dumps(opened))):  # noqa: S301 (its own bytes)
            assert again.truths is not None
            (found,) = again.truths(again.pairs[0])
            np.testing.assert_array_equal(found, NUMBERS)

    def test_class_maps_become_numbers_again(self, nuclei: Path) -> None:
        opened = datasets.open("nuclei", nuclei)
        assert opened.objects is not None
        found = opened.objects(opened[0].mask)
        assert aggregated_jaccard_index(found, NUMBERS) == 1

    def test_touching_nuclei_are_one_without_boundaries(self) -> None:
        found = nuclei_of(nuclei_mask(NUMBERS, "foreground"))
        assert found.max() == 2
        np.testing.assert_array_equal(found > 0, NUMBERS > 0)

    @pytest.mark.shared_data
    def test_real_nuclei_come_back(self, shared_data: Path) -> None:
        opened = datasets.open("nuclei", shared_data / "dsb2018")
        assert opened.objects is not None
        assert opened.truths is not None
        for pair in opened.pairs[:5]:
            (truth,) = opened.truths(pair)
            found = opened.objects(opened.read(pair).mask)
            assert aggregated_jaccard_index(found, truth) > 0.95


class TestBsds500:
    def test_segments_of_every_annotator(self, tmp_path: Path) -> None:
        drawn = [np.tile(1 + np.arange(30) * parts // 30, (24, 1)) for parts in (2, 3, 255)]
        for split in ("train", "val", "test"):
            save(tmp_path / "data/images" / split / "1.jpg", PHOTO)
            cells = np.empty((1, 3), object)
            for place, plane in enumerate(drawn):
                cells[0, place] = {"Segmentation": plane.astype(np.uint16), "Boundaries": plane}
            truth = tmp_path / "data/groundTruth" / split / "1.mat"
            truth.parent.mkdir(parents=True)
            savemat(truth, {"groundTruth": cells})
        opened = datasets.open("bsds500", tmp_path, split="test")
        assert opened.truths is not None
        for found, plane in zip(opened.truths(opened.pairs[0]), drawn, strict=True):
            np.testing.assert_array_equal(found, plane)

    def test_boundaries_enclose_segments(self) -> None:
        segments = np.kron(np.array([[1, 2], [3, 1]]), np.ones((8, 9), np.int32))
        found = segments_of(segment_borders(segments).astype(np.uint8))
        assert found.min() == 1
        pieces = np.kron(np.array([[1, 2], [3, 4]]), np.ones((8, 9), np.int32))
        assert rand_index(found, pieces) == 1


def test_other_layouts_have_their_masks_alone(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", PHOTO)
    save(tmp_path / "masks" / "a.png", (NUMBERS > 0).astype(np.uint8))
    opened = datasets.open("folder", tmp_path)
    assert (opened.protocols, opened.truths, opened.objects) == ((), None, None)


class TestGrownPieces:
    @given(arrays(np.int32, (6, 7), elements=st.integers(-1, 3)), st.booleans())
    def test_every_pixel_belongs_to_a_piece_it_is_connected_with(
        self, classes: NDArray[np.int32], diagonal: bool
    ) -> None:
        found = grown_pieces(classes, inside=1, over=(2,), diagonal=diagonal)
        structure = np.ones((3, 3)) if diagonal else None
        whole = np.isin(classes, (1, 2))
        np.testing.assert_array_equal(found > 0, whole)
        np.testing.assert_array_equal(found < 0, classes < 0)
        cores, count = label(classes == 1, structure)
        for number in range(1, found.max() + 1):
            piece = found == number
            assert label(piece, structure)[1] == 1
            assert np.unique(cores[piece & (classes == 1)]).size == (number <= count)

    def test_what_is_too_thin_for_an_inside_is_kept(self) -> None:
        found = grown_pieces(np.array([[1, 2, 0, 2, 2]]), inside=1, over=(2,))
        assert found.tolist() == [[1, 1, 0, 2, 2]]
