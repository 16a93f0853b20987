"""The layouts on files of the real data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint import datasets
from segmint.datasets.checking import check

pytestmark = pytest.mark.shared_data

SIZES = {
    "CamVid": ("camvid", {"train": 32, "val": 8, "test": 8}),
    "VOCdevkit": ("voc2012", {"train": 4, "val": 2}),
    "isbi2012": ("isbi2012", {"train": 24, "val": 6}),
    "dsb2018": ("nuclei", {"train": 48, "val": 12}),
    "BSDS500": ("bsds500", {"train": 20, "val": 20, "test": 20}),
}


@pytest.mark.parametrize("folder", SIZES)
def test_splits(shared_data: Path, folder: str) -> None:
    name, sizes = SIZES[folder]
    assert datasets.recognize(shared_data / folder) == name
    for split, size in sizes.items():
        dataset = datasets.open("auto", shared_data / folder, split=split, val_fraction=0.2)
        assert len(dataset) == size
        assert dataset[0].mask.shape == dataset[0].image.shape[:2]


def test_voc_by_its_files(shared_data: Path) -> None:
    dataset = datasets.open("voc2012", shared_data / "VOCdevkit", split="val")
    assert [pair.name for pair in dataset.pairs] == ["2008_002536", "2008_005197"]
    sample = dataset[0]
    names = {dataset.classes[each] for each in np.unique(sample.mask).tolist() if each != 255}
    assert names == {"background", "dog", "sheep"}
    path = shared_data / "VOCdevkit/VOC2012/SegmentationClass/2008_002536.png"
    np.testing.assert_array_equal(sample.mask, np.array(Pillow.open(path)))


def test_isbi_slices_are_in_order(shared_data: Path) -> None:
    dataset = datasets.open("isbi2012", shared_data / "isbi2012", split="val")
    assert [pair.image.name for pair in dataset.pairs] == [f"{n}.png" for n in range(24, 30)]
    stored = np.array(Pillow.open(shared_data / "isbi2012/train/label/24.png"))
    np.testing.assert_array_equal(dataset[0].mask, stored // 255)


def test_nuclei_are_told_apart(shared_data: Path) -> None:
    from scipy import ndimage

    dataset = datasets.open("nuclei", shared_data / "dsb2018")
    apart = 0
    for pair in dataset.pairs[:10]:
        assert pair.mask is not None
        numbers = np.array(Pillow.open(pair.mask))
        found = dataset.read(pair).mask
        np.testing.assert_array_equal(found != 0, numbers != 0)
        areas, count = ndimage.label(found == 1, np.ones((3, 3)))
        assert all(np.unique(numbers[areas == area]).size == 1 for area in range(1, count + 1))
        apart += count > ndimage.label(numbers != 0)[1]
    assert apart > 0


def test_camvid_is_sound(shared_data: Path) -> None:
    found = check(shared_data / "CamVid")
    assert (found.problems, found.warnings) == ((), ())
    assert sum(facts.counts.sum() for facts in found.images) == 48 * 480 * 360
