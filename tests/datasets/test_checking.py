from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from segmint import datasets
from segmint.datasets.check_findings import ImageFacts
from segmint.datasets.checking import check, representatives
from segmint.datasets.dataset import Pair
from segmint.errors import InputError


def save(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


def photo(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def mask(*values: int) -> NDArray[np.uint8]:
    return np.resize(np.array(values, np.uint8), (6, 8))


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Six images of three classes to train, two to validate; a test may spoil them."""
    for split, seeds in (("train", range(6)), ("val", range(6, 8))):
        for seed in seeds:
            save(tmp_path / split / "images" / f"{seed}.png", photo(seed))
            save(tmp_path / split / "masks" / f"{seed}.png", mask(0, 1, 2, 255))
    return tmp_path


def test_sound(cells: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    found = check(cells, advance=lambda *call: calls.append(call))
    assert found.usable
    assert (found.problems, found.warnings) == ((), ())
    assert (found.name, list(found.datasets)) == ("folder", ["train", "val"])
    counts = sum(facts.counts for facts in found.of_split("train"))
    assert counts[[0, 1, 2, 255]].tolist() == [72, 72, 72, 72]
    assert counts.sum() == 6 * 48
    assert calls == [("train", n, 6) for n in range(1, 7)] + [("val", n, 2) for n in (1, 2)]


def test_what_cannot_be_read_is_told_for_each_file(cells: Path) -> None:
    path = cells / "train/images/1.png"
    path.write_bytes(path.read_bytes()[:-60])
    (cells / "train/masks/2.png").write_bytes(path.read_bytes())
    save(cells / "val/masks/7.png", mask(0, 1)[:5])
    found = check(cells)
    assert not found.usable
    assert len(found.problems) == 3
    assert "images/1.png is a damaged" in found.problems[0]
    assert "masks/2.png is a damaged" in found.problems[1]
    assert "7.png is 8 x 6 pixels and its mask" in found.problems[2]
    assert len(found.images) == 5
    with pytest.raises(InputError, match=r"masks/2\.png is .*1 more of its files cannot be read"):
        datasets.open("folder", cells)


def test_labels_that_are_no_class(cells: Path) -> None:
    (cells / "classes.txt").write_text("a\nb\n")
    found = check(cells)
    assert len(found.problems) == 8
    assert "holds the label 2 (12 pixels)" in found.problems[0]


def test_equal_images_in_two_splits(cells: Path) -> None:
    # The same pixels in another file format.
    (cells / "val/images/6.png").unlink()
    save(cells / "val/images/6.bmp", photo(3))
    save(cells / "train/images/5.png", photo(4))
    found = check(cells)
    assert found.usable
    assert set(found.warnings) == {
        "1 pairs of equal images are twice in train: 4 and 5",
        "1 pairs of equal images are both in train and in val, so that scores will be too good: "
        "3 and 6",
    }


def test_masks_of_one_class_or_of_none(cells: Path) -> None:
    save(cells / "train/masks/0.png", mask(255))
    save(cells / "train/masks/2.png", mask(1))
    save(cells / "train/masks/3.png", mask(1, 255))
    assert check(cells).warnings == (
        "1 of 6 masks of train are 255 throughout and teach nothing: 0",
        "2 of 6 masks of train hold a single class (class 1): 2, 3",
    )


def test_classes_that_do_not_occur(cells: Path) -> None:
    (cells / "classes.txt").write_text("a\nb\nc\nd\ne\n")
    save(cells / "val/masks/6.png", mask(0, 3))
    assert check(cells).warnings == (
        "1 of 5 classes occur only outside train and cannot be learned: d",
        "1 of 5 classes never occur: e",
    )


def test_images_of_two_types(cells: Path) -> None:
    np.save(cells / "train/images/9.npy", photo(9).astype(np.float32))
    save(cells / "train/masks/9.png", mask(0, 1, 2))
    (warning,) = check(cells).warnings
    assert "0.png is uint8, 9.npy is float32" in warning


def test_nothing_to_learn(cells: Path) -> None:
    (cells / "classes.txt").write_text("a\nb\n")
    for path in (cells / "train/masks").iterdir():
        save(path, mask(255))
    for path in (cells / "val/masks").iterdir():
        save(path, mask(0, 1))
    assert check(cells).problems == ("no pixel of train has a class: every mask is 255 throughout",)


def test_a_split_that_does_not_open_is_a_problem(tmp_path: Path) -> None:
    for split in ("train", "val"):
        save(tmp_path / split / "a.png", photo(0))
        save(tmp_path / f"{split}annot" / "a.png", mask(0, 1))
    (tmp_path / "val.txt").write_text("b.png b.png\n")
    found = check(tmp_path)
    assert (found.name, list(found.datasets)) == ("camvid", ["train"])
    assert "val.txt lists 1 images and 1 of them have no image file (b)" in found.problems[0]
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(InputError, match=r"train\.txt is an empty list"):
        check(tmp_path)


def test_a_share_for_validation(tmp_path: Path) -> None:
    for seed in range(10):
        save(tmp_path / f"images/{seed}.png", photo(seed))
        save(tmp_path / f"masks/{seed}.png", mask(0, 1))
    found = check(tmp_path, val_fraction=0.3)
    assert {split: len(part) for split, part in found.datasets.items()} == {"train": 7, "val": 3}


def facts(name: str, **pixels: int) -> ImageFacts:
    counts = np.zeros(256, np.intp)
    for number, count in pixels.items():
        counts[int(number[1:])] = count
    return ImageFacts(
        split="train",
        pair=Pair(image=Path(name), mask=Path(name), name=name),
        height=1,
        width=int(counts.sum()),
        channels=1,
        dtype="uint8",
        counts=counts,
        fingerprint=name.encode(),
    )


def test_representatives_show_rare_classes() -> None:
    images = [facts(str(number), c0=100) for number in range(20)]
    images += [
        facts("rare", c0=90, c2=10),
        facts("rarer", c0=99, c1=1),
        facts("little", c0=99, c2=1),
    ]
    chosen = [each.pair.name for each in representatives(images, 3, 3)]
    assert {"rare", "rarer"} < set(chosen)
    assert len({each.pair.name for each in representatives(images, 3, 12)}) == 12
    assert len(representatives(images[:2], 3, 12)) == 2
    assert representatives([], 3, 12) == []
