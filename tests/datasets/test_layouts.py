"""What the published layouts make of the values in their files, against their documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from segmint import datasets
from segmint.datasets.bsds500 import boundary_mask
from segmint.datasets.cityscapes import LABEL_IDS, TRAIN_IDS, CityscapesLabels
from segmint.datasets.nuclei import nuclei_mask
from segmint.datasets.voc2012 import voc_palette
from segmint.errors import InputError, UsageError
from segmint.images.borders import segment_borders


def save(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def grey(*values: int) -> NDArray[np.uint8]:
    return np.array([values], np.uint8)


def color(pixels: int) -> NDArray[np.uint8]:
    return np.zeros((1, pixels, 3), np.uint8)


def voc(root: Path, lists: dict[str, str], names: list[str]) -> Path:
    for name in names:
        save(root / f"JPEGImages/{name}.jpg", color(3))
        save(root / f"SegmentationClass/{name}.png", grey(0, 20, 255))
    (root / "ImageSets/Segmentation").mkdir(parents=True, exist_ok=True)
    for name, text in lists.items():
        (root / f"ImageSets/Segmentation/{name}.txt").write_text(text)
    return root


class TestVoc2012:
    def test_palette(self) -> None:
        # The development kit: aeroplane, bicycle, tvmonitor, and void at 255.
        expected = {1: (128, 0, 0), 2: (0, 128, 0), 20: (0, 64, 128), 255: (224, 224, 192)}
        colors = voc_palette(256)
        assert {number: tuple(colors[number].tolist()) for number in expected} == expected

    def test_values_and_border(self, tmp_path: Path) -> None:
        dataset = datasets.open("voc2012", voc(tmp_path, {"train": "a\n"}, ["a"]))
        assert dataset[0].mask.tolist() == [[0, 20, 255]]
        assert dataset.classes[20] == "tvmonitor"

    def test_more_masks(self, tmp_path: Path) -> None:
        root = voc(tmp_path, {"train": "a\n", "train_aug": "a\nb\n"}, ["a"])
        save(root / "JPEGImages/b.jpg", color(3))
        save(root / "SegmentationClassAug/b.png", grey(1, 2, 3))
        dataset = datasets.open("voc2012", root, split="trainaug")
        assert [sample.mask.tolist() for sample in dataset] == [[[0, 20, 255]], [[1, 2, 3]]]

    def test_test_images_have_no_truth(self, tmp_path: Path) -> None:
        root = voc(tmp_path, {"train": "a\n", "test": "t\n"}, ["a"])
        save(root / "JPEGImages/t.jpg", color(3))
        assert datasets.open("voc2012", root, split="test")[0].mask.tolist() == [[255] * 3]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", r"train\.txt is an empty list"),
            ("\n \n", r"train\.txt is an empty list"),
            ("a\nb\nc\n", r"train\.txt lists 3 images and 2 of them have no image file \(b, c\)"),
            ("a\na\n", r"train\.txt lists a twice"),
        ],
    )
    def test_bad_lists(self, tmp_path: Path, text: str, words: str) -> None:
        root = voc(tmp_path, {"train": text}, ["a"])
        with pytest.raises(InputError, match=words):
            datasets.open("voc2012", root)

    def test_missing_mask(self, tmp_path: Path) -> None:
        root = voc(tmp_path, {"train": "a\n"}, ["a"])
        (root / "SegmentationClass/a.png").unlink()
        with pytest.raises(InputError, match="1 of them have no mask file"):
            datasets.open("voc2012", root)

    def test_a_label_that_is_no_class(self, tmp_path: Path) -> None:
        root = voc(tmp_path, {"train": "a\n"}, ["a"])
        save(root / "SegmentationClass/a.png", grey(21, 21, 40))
        words = (
            r"mask .*a\.png holds the label 21 \(2 pixels\), 40 \(1 pixels\), which is none of the "
            r"21 classes; accepted are 0 to 20, and 255 for what does not count"
        )
        with pytest.raises(InputError, match=words):
            datasets.open("voc2012", root)[0]

    def test_sizes_that_differ(self, tmp_path: Path) -> None:
        root = voc(tmp_path, {"train": "a\n"}, ["a"])
        save(root / "SegmentationClass/a.png", np.zeros((2, 3), np.uint8))
        with pytest.raises(InputError, match=r"a\.jpg is 3 x 1 pixels and its mask .* is 3 x 2"):
            datasets.open("voc2012", root)[0]


class TestCityscapes:
    def test_all_35_labels(self) -> None:
        assert len(LABEL_IDS) == 35
        stored = np.array([[number % 256 for number in LABEL_IDS]], np.uint8)
        found = CityscapesLabels()(stored, Path("a_gtFine_labelIds.png"))[0].tolist()
        trained = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
        expected = [trained.index(label) if label in trained else 255 for label in LABEL_IDS]
        assert found == expected
        assert list(TRAIN_IDS) == trained

    def test_train_ids(self, tmp_path: Path) -> None:
        save(tmp_path / "leftImg8bit/train/ulm/ulm_0_leftImg8bit.png", color(3))
        save(tmp_path / "gtFine/train/ulm/ulm_0_gtFine_labelTrainIds.png", grey(0, 18, 255))
        assert datasets.open("cityscapes", tmp_path)[0].mask.tolist() == [[0, 18, 255]]
        save(tmp_path / "gtFine/train/ulm/ulm_0_gtFine_labelIds.png", grey(7, 33, 4))
        assert datasets.open("cityscapes", tmp_path)[0].mask.tolist() == [[0, 18, 255]]

    def test_train_ids_in_capitals(self, tmp_path: Path) -> None:
        labels = CityscapesLabels()
        for name in ("a_gtFine_labelTrainIds.PNG", "a_gtFine_labelTrainIds.png"):
            assert labels(grey(0, 18, 255), tmp_path / name).tolist() == [[0, 18, 255]]

    def test_a_label_beyond_the_table(self, tmp_path: Path) -> None:
        save(tmp_path / "leftImg8bit/train/ulm/ulm_0_leftImg8bit.png", color(3))
        save(tmp_path / "gtFine/train/ulm/ulm_0_gtFine_labelIds.png", grey(7, 34, 4))
        with pytest.raises(InputError, match=r"holds the label 34 \(1 pixels\)"):
            datasets.open("cityscapes", tmp_path)[0]

    def test_whole_cities_are_held_out(self, tmp_path: Path) -> None:
        for city in ("ulm", "jena", "bonn"):
            for number in range(3):
                base = f"{city}_{number}"
                save(tmp_path / f"leftImg8bit/train/{city}/{base}_leftImg8bit.png", color(1))
                save(tmp_path / f"gtFine/train/{city}/{base}_gtFine_labelIds.png", grey(7))
        val = datasets.open("cityscapes", tmp_path, split="val", val_fraction=0.3)
        assert len({pair.image.parent for pair in val.pairs}) == 1
        assert len(val) == 3


def test_ade20k_zero_does_not_count(tmp_path: Path) -> None:
    save(tmp_path / "images/training/a.jpg", np.zeros((1, 3), np.uint8))
    save(tmp_path / "annotations/training/a.png", grey(0, 1, 150))
    dataset = datasets.open("ade20k", tmp_path)
    assert dataset[0].mask.tolist() == [[255, 0, 149]]
    assert (dataset.classes[0], dataset.classes[149]) == ("wall", "flag")
    assert dataset[0].image.shape == (1, 3, 3), "a grey photo becomes RGB"


class TestCamvid:
    def make(self, root: Path) -> Path:
        for name in ("0001TP_1", "0001TP_2"):
            save(root / f"train/{name}.png", color(2))
            save(root / f"trainannot/{name}.png", grey(10, 11))
        return root

    def test_void_and_plain_folders(self, tmp_path: Path) -> None:
        dataset = datasets.open("camvid", self.make(tmp_path))
        assert len(dataset) == 2
        assert dataset[0].mask.tolist() == [[10, 255]]

    def test_paths_of_other_machines(self, tmp_path: Path) -> None:
        root = self.make(tmp_path)
        (root / "train.txt").write_text("C:\\data\\0001TP_2.png C:\\data\\annot\\0001TP_2.png\n")
        assert [pair.name for pair in datasets.open("camvid", root).pairs] == ["0001TP_2"]

    def test_one_film_is_not_divided(self, tmp_path: Path) -> None:
        words = "2 images that belong together for training, of which no validation part"
        with pytest.raises(InputError, match=words):
            datasets.open("camvid", self.make(tmp_path), split="val", val_fraction=0.5)


class TestIsbi2012:
    def make_slices(self, root: Path, count: int) -> Path:
        for number in range(count):
            save(root / f"train/image/{number}.png", np.full((2, 2), number, np.uint8))
            save(root / f"train/label/{number}.png", np.array([[0, 255], [255, 0]], np.uint8))
        return root

    def test_the_last_slices_validate(self, tmp_path: Path) -> None:
        root = self.make_slices(tmp_path, 30)
        train, val = (datasets.open("isbi2012", root, split=split) for split in ("train", "val"))
        assert [pair.name for pair in val.pairs] == ["24", "25", "26", "27", "28", "29"]
        assert [int(sample.image[0, 0, 0]) for sample in train] == list(range(24))
        assert val[0].mask.tolist() == [[0, 1], [1, 0]]

    def test_another_share(self, tmp_path: Path) -> None:
        root = self.make_slices(tmp_path, 10)
        assert len(datasets.open("isbi2012", root, split="val", val_fraction=0.3)) == 3

    def test_one_slice(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="one image for training, of which no validation"):
            datasets.open("isbi2012", self.make_slices(tmp_path, 1))

    def test_stacks_are_the_same_as_slices(self, tmp_path: Path) -> None:
        volume = np.random.default_rng(0).integers(0, 256, (5, 4, 6), dtype=np.uint8)
        labels = (volume > 90).astype(np.uint8) * 255
        tifffile.imwrite(tmp_path / "train-volume.tif", volume, photometric="minisblack")
        tifffile.imwrite(tmp_path / "train-labels.tif", labels, photometric="minisblack")
        dataset = datasets.open("isbi2012", tmp_path, split="trainval")
        for index, sample in enumerate(dataset):
            np.testing.assert_array_equal(sample.image[..., 0], volume[index])
            np.testing.assert_array_equal(sample.mask, volume[index] > 90)

    def test_stacks_of_different_lengths(self, tmp_path: Path) -> None:
        for name, count in (("volume", 5), ("labels", 4)):
            stack = np.zeros((count, 4, 6), np.uint8)
            tifffile.imwrite(tmp_path / f"train-{name}.tif", stack, photometric="minisblack")
        with pytest.raises(InputError, match=r"has 5 slices and .*train-labels\.tif has 4"):
            datasets.open("isbi2012", tmp_path)

    def test_slices_with_a_split_of_their_own_are_not_taken_for_it(self, tmp_path: Path) -> None:
        root = self.make_slices(tmp_path, 2)
        assert datasets.recognize(root) == "isbi2012"
        for part in ("image", "label"):
            save(root / f"val/{part}/0.png", grey(0, 255))
        assert datasets.recognize(root) == "folder"

    def test_colored_pictures_are_not_taken_for_it(self, tmp_path: Path) -> None:
        save(tmp_path / "train/image/0.png", color(2))
        save(tmp_path / "train/label/0.png", grey(0, 255))
        assert datasets.recognize(tmp_path) == "folder"


class TestMyops:
    @pytest.mark.parametrize("file_format", ["npz", "nifti"])
    def test_patients_stay_together(
        self, all_hearts: Path, tmp_path: Path, file_format: str
    ) -> None:
        datasets.prepare_myops(all_hearts, tmp_path / "out", format=file_format)
        parts = {
            split: datasets.open("myops", tmp_path / "out", split=split, val_fraction=0.5)
            for split in ("train", "val", "test")
        }
        patients = {
            split: {pair.name.split("_")[1] for pair in part.pairs} for split, part in parts.items()
        }
        assert {len(patients["train"]), len(patients["val"])} == {1}
        assert patients["train"] | patients["val"] == {"101", "102"}
        assert patients["test"] == {"109"}
        sample = parts["train"][0]
        assert sample.image.shape == (160, 160, 3)
        assert sample.region is not None
        np.testing.assert_array_equal(sample.region, sample.mask != 255)
        assert set(np.unique(sample.mask).tolist()) == {0, 1, 2, 3, 255}

    def test_both_formats_hold_the_same(self, all_hearts: Path, tmp_path: Path) -> None:
        for file_format in ("npz", "nifti"):
            datasets.prepare_myops(all_hearts, tmp_path / file_format, format=file_format)
        one, other = (datasets.open("myops", tmp_path / each)[0] for each in ("npz", "nifti"))
        np.testing.assert_allclose(one.image, other.image, rtol=1e-6)
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.region, other.region)


class TestBsds500:
    def test_agreed(self) -> None:
        drawn = [[1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 2, 2], [1, 1, 1, 1, 1, 1]]
        found = boundary_mask(tuple(np.array([each]) for each in drawn), "agreed")
        assert found.tolist() == [[0, 1, 1, 255, 255, 0]]

    def test_who_drew_most_and_least(self) -> None:
        fine, coarse = np.array([[1, 2, 3, 3, 3]]), np.array([[1, 1, 1, 1, 2]])
        for annotators, expected in (
            ("finest", [[1, 1, 1, 0, 0]]),
            ("coarsest", [[0, 0, 0, 1, 1]]),
            ("first", [[0, 0, 0, 1, 1]]),
        ):
            assert boundary_mask((coarse, fine), annotators).tolist() == expected

    @given(arrays(np.int32, (6, 7), elements=st.integers(1, 3)))
    def test_borders_by_brute_force(self, segments: NDArray[np.int32]) -> None:
        expected = np.zeros(segments.shape, bool)
        for row, column in np.ndindex(*segments.shape):
            for other in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if 0 <= other[0] < 6 and 0 <= other[1] < 7:
                    expected[row, column] |= segments[other] != segments[row, column]
        np.testing.assert_array_equal(segment_borders(segments), expected)

    def test_unknown_annotators(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--annotators is 'all'"):
            datasets.open("bsds500", tmp_path, annotators="all")


class TestNuclei:
    @given(arrays(np.uint16, (9, 9), elements=st.sampled_from([0, 0, 1, 2, 300])))
    def test_interiors_never_touch(self, numbers: NDArray[np.uint16]) -> None:
        found = nuclei_mask(numbers, "boundary")
        np.testing.assert_array_equal(found != 0, numbers != 0)
        areas, count = ndimage.label(found == 1, np.ones((3, 3)))
        for area in range(1, count + 1):
            assert np.unique(numbers[areas == area]).size == 1

    @given(arrays(np.uint16, (6, 8), elements=st.integers(0, 2)))
    def test_boundary_by_brute_force(self, numbers: NDArray[np.uint16]) -> None:
        expected = np.zeros(numbers.shape, np.uint8)
        for row, column in np.ndindex(*numbers.shape):
            around = numbers[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            if numbers[row, column]:
                expected[row, column] = 1 if (around == numbers[row, column]).all() else 2
        np.testing.assert_array_equal(nuclei_mask(numbers, "boundary"), expected)

    def test_foreground(self, tmp_path: Path) -> None:
        save(tmp_path / "images/a.png", color(3))
        save(tmp_path / "labels/a.png", np.array([[0, 1, 300]], np.uint16))
        dataset = datasets.open("nuclei", tmp_path, target="foreground")
        assert dataset.classes == ("background", "nucleus")
        assert dataset[0].mask.tolist() == [[0, 1, 1]]

    def test_a_file_for_each_nucleus(self, tmp_path: Path) -> None:
        place = tmp_path / "stage1_train/cell"
        save(place / "images/cell.png", color(4))
        save(place / "masks/1.png", grey(255, 255, 0, 0))
        save(place / "masks/2.png", grey(0, 0, 255, 255))
        assert datasets.open("auto", tmp_path)[0].mask.tolist() == [[1, 2, 2, 1]]
        save(place / "masks/3.png", grey(0, 255))
        with pytest.raises(InputError, match=r"3\.png has the shape \(1, 2\)"):
            datasets.open("auto", tmp_path)[0]

    def test_a_folder_with_two_images_is_told(self, tmp_path: Path) -> None:
        for name, count in (("a", 1), ("b", 1), ("c", 2)):
            for number in range(count):
                save(tmp_path / f"stage1_train/{name}/images/{number}.png", color(3))
            save(tmp_path / f"stage1_train/{name}/masks/1.png", grey(0, 255, 255))
        assert datasets.recognize(tmp_path) == "nuclei"
        with pytest.raises(InputError, match=r"c/images holds 2 images, accepted is one"):
            datasets.open("nuclei", tmp_path)

    def test_splits_of_single_images_are_not_taken_for_it(self, tmp_path: Path) -> None:
        for split in ("train", "val"):
            save(tmp_path / split / "images/0.png", color(3))
            save(tmp_path / split / "masks/0.png", grey(0, 1, 1))
        assert datasets.recognize(tmp_path) == "folder"

    def test_8_bit_labels_in_tiff_are_not_taken_for_it(self, tmp_path: Path) -> None:
        save(tmp_path / "images/a.png", color(3))
        save(tmp_path / "labels/a.tif", grey(0, 1, 2))
        assert datasets.recognize(tmp_path) == "folder"

    def test_8_bit_labels_are_read_when_asked_for(self, tmp_path: Path) -> None:
        save(tmp_path / "images/a.png", color(3))
        save(tmp_path / "labels/a.png", grey(0, 1, 2))
        assert datasets.recognize(tmp_path) == "folder"
        assert datasets.open("nuclei", tmp_path).classes[2] == "boundary"
