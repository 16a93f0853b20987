"""One's own data: which mask belongs to which image, and what the values of masks mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

from segmint import datasets
from segmint.datasets.dataset import Dataset
from segmint.errors import InputError

RED, GREEN, BLACK, WHITE, VOID = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 0),
    (255, 255, 255),
    (224, 224, 192),
)


def save(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def grey(*values: int) -> NDArray[np.uint8]:
    return np.array([values], np.uint8)


def colors(*values: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.array([values], np.uint8)


def folder(root: Path, *masks: NDArray[Any], classes: str = "") -> Path:
    for number, mask in enumerate(masks):
        save(root / f"images/{number}.png", np.full((*mask.shape[:2], 3), number, np.uint8))
        save(root / f"masks/{number}.png", mask)
    if classes:
        (root / "classes.txt").write_text(classes)
    return root


def masks_of(dataset: Dataset) -> list[list[int]]:
    return [sample.mask[0].tolist() for sample in dataset]


class TestEncodings:
    def test_black_and_white(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, grey(0, 255), grey(255, 0), grey(0, 0)))
        assert masks_of(dataset) == [[0, 1], [1, 0], [0, 0]]
        assert dataset.classes == ("background", "foreground")
        assert "255 is class 1" in dataset.notes[0]

    def test_black_and_white_with_names(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 255), classes="gap\ncell\n")
        dataset = datasets.open("folder", root)
        assert (dataset.classes, masks_of(dataset)) == (("gap", "cell"), [[0, 1]])

    def test_black_and_white_and_three_names(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 255), classes="a\nb\nc\n")
        with pytest.raises(InputError, match=r"hold 0 and 255 and classes\.txt names 3 classes"):
            datasets.open("folder", root)

    def test_one_bit(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, np.array([[True, False]])))
        assert masks_of(dataset) == [[1, 0]]

    def test_numbers(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, grey(0, 1, 255), grey(2, 0, 255)))
        assert dataset.classes == ("class 0", "class 1", "class 2")
        assert masks_of(dataset) == [[0, 1, 255], [2, 0, 255]]
        assert "255 is not counted" in dataset.notes[0]

    def test_a_mask_of_border_alone_among_numbers(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, grey(0, 255, 255), grey(1, 2, 255)))
        assert masks_of(dataset)[0] == [0, 255, 255]

    def test_sparse_values(self, tmp_path: Path) -> None:
        root = folder(tmp_path, np.array([[200, 500, 1220, 65535]], np.uint16))
        dataset = datasets.open("folder", root)
        assert dataset.classes == ("value 200", "value 500", "value 1220")
        assert masks_of(dataset) == [[0, 1, 2, 255]]

    def test_grey_levels(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, grey(0, 128), grey(255, 0)))
        assert masks_of(dataset) == [[0, 1], [2, 0]]
        assert "grey levels 0, 128, 255" in dataset.notes[0]

    def test_names_make_values_strict(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(1, 2, 3), classes="a\nb\nc\n")
        with pytest.raises(InputError, match=r"label 3 \(1 pixels\), which is none of the 3"):
            datasets.open("folder", root)[0]

    def test_palette_file_keeps_its_colors(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1, 2))
        picture = Pillow.fromarray(grey(0, 1, 2))
        picture.putpalette([9, 8, 7, 60, 50, 40, 200, 210, 220])
        picture.save(root / "masks/0.png")
        dataset = datasets.open("folder", root)
        assert dataset.palette.tolist() == [[9, 8, 7], [60, 50, 40], [200, 210, 220]]
        assert masks_of(dataset) == [[0, 1, 2]]

    def test_colors(self, tmp_path: Path) -> None:
        root = folder(tmp_path, colors(BLACK, RED, VOID), colors(GREEN, BLACK, BLACK))
        dataset = datasets.open("folder", root)
        assert dataset.classes == ("color #000000", "color #00ff00", "color #ff0000")
        assert masks_of(dataset) == [[0, 2, 255], [1, 0, 0]]
        assert dataset.palette.tolist() == [list(BLACK), list(GREEN), list(RED)]

    def test_colors_with_names(self, tmp_path: Path) -> None:
        text = "old house 255 0 0\nsky #00ff00\nroad, 0, 0, 0\n"
        root = folder(tmp_path, colors(BLACK, RED), colors(BLACK, BLACK), classes=text)
        dataset = datasets.open("folder", root)
        assert dataset.classes == ("old house", "sky", "road")
        assert masks_of(dataset) == [[2, 0], [2, 2]]

    def test_a_color_that_is_no_class(self, tmp_path: Path) -> None:
        text = "a 255 0 0\nb 0 0 0\n"
        root = folder(tmp_path, colors(BLACK, RED, GREEN), classes=text)
        with pytest.raises(InputError, match=r"color #00ff00 \(1 pixels\), which is none of the 2"):
            datasets.open("folder", root)[0]

    def test_colors_and_names_without_colors(self, tmp_path: Path) -> None:
        root = folder(tmp_path, colors(BLACK, RED), classes="a\nb\n")
        with pytest.raises(InputError, match=r"classes\.txt gives no colors"):
            datasets.open("folder", root)

    @pytest.mark.parametrize("encoding", ["numbers", "black-and-white"])
    def test_colors_that_were_said_to_be_none(self, tmp_path: Path, encoding: str) -> None:
        root = folder(tmp_path, colors(BLACK, RED))
        with pytest.raises(InputError, match=r"0\.png is a color picture, accepted with encoding="):
            datasets.open("folder", root, encoding=encoding)

    def test_shades(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, grey(*range(0, 250, 2))))
        assert "shades of smoothed masks" in dataset.notes[0]

    def test_photos_in_the_place_of_masks(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
        with pytest.raises(InputError, match=r"hold 4096 different values.*save masks without"):
            datasets.open("folder", folder(tmp_path, pixels))

    def test_grey_files_of_three_channels_are_numbers(self, tmp_path: Path) -> None:
        dataset = datasets.open("folder", folder(tmp_path, colors(BLACK, WHITE), grey(0, 255)))
        assert masks_of(dataset) == [[0, 1], [0, 1]]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (grey(0, 255), grey(0, 1)),
            (grey(0, 255), grey(0, 3)),
            (colors(BLACK, RED), grey(0, 1)),
        ],
    )
    def test_two_encodings(
        self, tmp_path: Path, first: NDArray[np.uint8], second: NDArray[np.uint8]
    ) -> None:
        root = folder(tmp_path, first, second)
        words = r"encoded in two ways: .*0\.png holds .* and .*1\.png holds"
        with pytest.raises(InputError, match=words):
            datasets.open("folder", root)

    def test_the_user_knows_better(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 255), grey(0, 1))
        assert masks_of(datasets.open("folder", root, encoding="numbers")) == [[0, 255], [0, 1]]

    def test_smoothed_masks(self, tmp_path: Path) -> None:
        root = folder(tmp_path, np.arange(600, dtype=np.uint16)[np.newaxis])
        with pytest.raises(InputError, match="599 different values"):
            datasets.open("folder", root)

    def test_only_uncounted(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="hold 255 alone"):
            datasets.open("folder", folder(tmp_path, grey(255, 255)))

    def test_jpeg_masks(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        (root / "masks/0.png").unlink()
        save(root / "masks/0.jpg", grey(0, 1))
        with pytest.raises(InputError, match="JPEG file, which changes label values"):
            datasets.open("folder", root)


class TestFiles:
    def test_endings_of_names(self, tmp_path: Path) -> None:
        for name in ("1", "2", "10"):
            save(tmp_path / f"images/{name}.jpg", np.zeros((2, 2, 3), np.uint8))
            save(tmp_path / f"masks/{name}_mask.png", np.array([[0, 1], [1, 0]], np.uint8))
        save(tmp_path / "masks/11_mask.png", grey(0, 1))
        dataset = datasets.open("folder", tmp_path)
        assert [pair.name for pair in dataset.pairs] == ["1", "2", "10"]
        assert dataset.notes[1] == "1 masks have no image and are left out: 11_mask.png"

    def test_missing_masks(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1), grey(0, 1), grey(0, 1))
        (root / "masks/1.png").unlink()
        with pytest.raises(InputError, match=r"1 of 3 images in .* have no mask in .*: 1; add"):
            datasets.open("folder", root)

    def test_two_masks_of_one_image(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        save(root / "masks/0.bmp", grey(0, 1))
        with pytest.raises(InputError, match=r"masks holds 0\.bmp and 0\.png, and"):
            datasets.open("folder", root)

    @pytest.mark.parametrize("form", ["{split}/images", "images/{split}"])
    def test_splits_by_folder(self, tmp_path: Path, form: str) -> None:
        for split, count in (("train", 2), ("val", 1)):
            for number in range(count):
                place = form.format(split=split)
                save(tmp_path / place / f"{number}.png", grey(1, 2))
                save(tmp_path / place.replace("images", "masks") / f"{number}.png", grey(0, 1))
        assert datasets.splits("folder", tmp_path) == ("train", "val", "trainval")
        assert len(datasets.open("folder", tmp_path)) == 2
        note = datasets.open("folder", tmp_path, split="val", val_fraction=0.5).notes[-1]
        assert "val_fraction is not used" in note

    def test_table(self, tmp_path: Path) -> None:
        folder(tmp_path, grey(0, 1), grey(1, 1), grey(1, 0))
        (tmp_path / "pairs.csv").write_text(
            "image,mask,split\nimages/0.png,masks/1.png,train\nimages/2.png, masks/2.png,valid\n"
        )
        for root in (tmp_path, tmp_path / "pairs.csv"):
            assert datasets.recognize(root) == "folder"
            assert masks_of(datasets.open("folder", root)) == [[1, 1]]
            assert masks_of(datasets.open("folder", root, split="val")) == [[1, 0]]

    @pytest.mark.parametrize(
        "text",
        [
            "\ufeffimage,mask\r\nimages/0.png,masks/0.png\r\n\r\n",
            "\ufeffImage;Mask;split\r\nimages/0.png;masks/0.png;\r\n",
            "image,mask\nimages\\0.png,masks\\0.png\n",
        ],
    )
    def test_tables_of_spreadsheets(self, tmp_path: Path, text: str) -> None:
        folder(tmp_path, grey(0, 1))
        (tmp_path / "pairs.csv").write_bytes(text.encode())
        assert masks_of(datasets.open("folder", tmp_path)) == [[0, 1]]

    def test_what_operating_systems_leave_behind(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        save(root / "images/Größe 1.PNG", grey(1, 2))
        save(root / "masks/Größe 1_Mask.PNG", grey(1, 0))
        for name in (".DS_Store", "Thumbs.db", "._0.png"):
            for place in ("images", "masks"):
                (root / place / name).write_bytes(b"x")
        (root / "images/old.png").mkdir()
        assert masks_of(datasets.open("folder", root)) == [[0, 1], [1, 0]]

    def test_a_link_to_nowhere(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1), grey(0, 1))
        (root / "masks/1.png").unlink()
        (root / "masks/1.png").symlink_to("gone.png")
        with pytest.raises(InputError, match=r"masks/1\.png cannot be opened \(No such file"):
            datasets.open("folder", root)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a,b\n1,2\n", "holds a, b, accepted is a table with the columns image, mask"),
            ("", "holds no line"),
            ("image,mask\nimages/0.png,masks/9.png\n", r"'masks/9\.png' in line 2, which is not"),
            ("image,mask\n\nimages/0.png\n", "names the file '' in line 3"),
            ("image,mask\n" + "a" * 5000 + ",masks/0.png\n", "names the file 'aaa"),
            ("image,mask\n" + 2 * "images/0.png,masks/0.png\n", "names the image .* twice"),
        ],
    )
    def test_bad_tables(self, tmp_path: Path, text: str, words: str) -> None:
        folder(tmp_path, grey(0, 1))
        (tmp_path / "pairs.csv").write_text(text)
        with pytest.raises(InputError, match=words):
            datasets.open("folder", tmp_path)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("\n", "names 0 classes, accepted are 1 to 255"),
            ("a\n" * 2, "gives the class 'a' twice"),
            ("a 1 2 3\nb 1 2 3\n", "gives the color of class 'b' twice"),
            ("a 1 2 3\nb\n", "gives 1 of 2 classes a color"),
            ("a 1 2 300\n", "gives a the color 1 2 300"),
            ("".join(f"c{n}\n" for n in range(256)), "names 256 classes"),
        ],
    )
    def test_bad_class_lists(self, tmp_path: Path, text: str, words: str) -> None:
        root = folder(tmp_path, grey(0, 1), classes=text)
        with pytest.raises(InputError, match=words):
            datasets.open("folder", root)

    def test_many_channels(self, tmp_path: Path) -> None:
        pixels = np.arange(4 * 5 * 7, dtype=np.uint16).reshape(4, 5, 7)
        for number in range(2):
            (tmp_path / "images").mkdir(exist_ok=True)
            path = tmp_path / f"images/{number}.tif"
            tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig")
            save(tmp_path / f"masks/{number}.png", np.eye(4, 5, dtype=np.uint8))
        np.save(tmp_path / "images/2.npy", pixels)
        np.save(tmp_path / "masks/2.npy", np.eye(4, 5, dtype=np.int64))
        dataset = datasets.open("folder", tmp_path)
        assert dataset.channels == 7
        for sample in dataset:
            np.testing.assert_array_equal(sample.image, pixels)
            assert sample.image.dtype == np.uint16
            np.testing.assert_array_equal(sample.mask, np.eye(4, 5))

    def test_grey_among_colors(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1), grey(0, 1))
        save(root / "images/1.png", grey(7, 9))
        assert datasets.open("folder", root)[1].image.tolist() == [[[7] * 3, [9] * 3]]

    def test_a_color_picture_among_grey_ones(self, tmp_path: Path) -> None:
        root = folder(tmp_path, *(20 * [grey(0, 1)]))
        for number in range(20):
            if number != 1:
                save(root / f"images/{number}.png", grey(7, 9))
        with pytest.raises(InputError, match=r"1\.png has 3 channels and its data set has 1.*=3"):
            list(datasets.open("folder", root))
        assert len(list(datasets.open("folder", root, channels=3))) == 20

    def test_channels_that_differ(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1), grey(0, 1))
        (root / "images/1.png").unlink()
        np.save(root / "images/1.npy", np.zeros((1, 2, 5), np.uint8))
        with pytest.raises(InputError, match=r"differ in their channels .*0\.png has 3.* has 5"):
            datasets.open("folder", root)
        with pytest.raises(InputError, match=r"1\.npy has 5 channels and its data set has 3"):
            datasets.open("folder", root, channels=3)[1]

    def test_masks_with_two_endings(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        (root / "masks/0.png").unlink()
        for ending in ("mask", "gt"):
            save(root / f"masks/0_{ending}.png", grey(0, 1))
        with pytest.raises(InputError, match=r"image 0 in .* fits 2 masks"):
            datasets.open("folder", root)

    def test_a_stack_is_no_image(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        stack = np.zeros((6, 1, 2), np.uint8)
        tifffile.imwrite(root / "images/0.tif", stack, photometric="minisblack")
        (root / "images/0.png").unlink()
        with pytest.raises(InputError, match=r"0\.tif is a stack of 6 slices"):
            datasets.open("folder", root)

    def test_one_image(self, tmp_path: Path) -> None:
        root = folder(tmp_path, grey(0, 1))
        assert len(datasets.open("folder", root)) == 1
        with pytest.raises(InputError, match="has one image for training, of which no validation"):
            datasets.open("folder", root, split="val", val_fraction=0.5)

    def test_nothing_known(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none of the known data sets \(voc2012, .*folder\)"):
            datasets.recognize(tmp_path)
