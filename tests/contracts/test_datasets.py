"""What every registered data set must do, on small files laid out exactly as the official ones."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.io import savemat

from segmint import datasets
from segmint.datasets.synthetic import write_hearts
from segmint.errors import InputError, UsageError

HEIGHT, WIDTH = 20, 28


def save(path: Path, pixels: NDArray[Any], colors: NDArray[np.uint8] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Pillow.fromarray(pixels)
    if colors is not None:
        picture.putpalette(colors.tobytes())
    picture.save(path)


def photo(seed: int, *, channels: int = 3) -> NDArray[np.uint8]:
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def mask(seed: int, values: list[int]) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).choice(np.array(values, np.uint8), (HEIGHT, WIDTH))


def write_voc2012(root: Path) -> None:
    place = root / "VOCdevkit" / "VOC2012"
    lists = {"train": ["2007_000032", "2007_000039"], "val": ["2007_000033"]}
    lists["trainval"] = [*lists["train"], *lists["val"]]
    for seed, name in enumerate(lists["trainval"]):
        save(place / "JPEGImages" / f"{name}.jpg", photo(seed))
        colors = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
        save(place / "SegmentationClass" / f"{name}.png", mask(seed, [0, 7, 20, 255]), colors)
        save(place / "SegmentationClassAug" / f"{name}.png", mask(seed, [0, 7, 20, 255]))
    save(place / "JPEGImages" / "2008_000002.jpg", photo(9))
    save(place / "SegmentationClassAug" / "2008_000002.png", mask(9, [0, 1]))
    (place / "ImageSets/Segmentation").mkdir(parents=True)
    for split, names in lists.items():
        text = "\n".join(names) + "\n"
        (place / f"ImageSets/Segmentation/{split}.txt").write_text(text)
    lines = [
        f"/JPEGImages/{name}.jpg /SegmentationClassAug/{name}.png"
        for name in [*lists["train"], "2008_000002"]
    ]
    (place / "ImageSets/Segmentation/trainaug.txt").write_text("\n".join(lines))


def write_cityscapes(root: Path) -> None:
    for split, city in (("train", "aachen"), ("train", "bochum"), ("val", "munster")):
        for number in (0, 1):
            base = f"{city}_000000_{number:06}"
            image = root / "leftImg8bit" / split / city / f"{base}_leftImg8bit.png"
            truth = root / "gtFine" / split / city
            save(image, photo(number))
            save(truth / f"{base}_gtFine_labelIds.png", mask(number, list(range(34))))
            save(truth / f"{base}_gtFine_instanceIds.png", mask(number, [1]).astype(np.uint16))
            save(truth / f"{base}_gtFine_color.png", photo(number))


def write_ade20k(root: Path) -> None:
    place = root / "ADEChallengeData2016"
    for folder, name in (("training", "train"), ("validation", "val")):
        for number in (1, 2):
            base = f"ADE_{name}_{number:08}"
            save(place / "images" / folder / f"{base}.jpg", photo(number))
            save(place / "annotations" / folder / f"{base}.png", mask(number, [0, 1, 77, 150]))


def write_camvid(root: Path) -> None:
    for split, film in (("train", "0001TP"), ("val", "0016E5"), ("test", "Seq05VD")):
        lines = []
        for number in (30, 60):
            name = f"{film}_{number:06}.png"
            save(root / "CamVid" / split / name, photo(number))
            save(root / "CamVid" / f"{split}annot" / name, mask(number, list(range(12))))
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}")
        (root / "CamVid" / f"{split}.txt").write_text("\n".join(lines) + "\n")


def write_isbi2012(root: Path) -> None:
    images = np.stack([photo(seed, channels=1) for seed in range(10)])
    labels = np.stack([mask(seed, [0, 255]) for seed in range(10)])
    root.mkdir(exist_ok=True)
    tifffile.imwrite(root / "train-volume.tif", images, photometric="minisblack")
    tifffile.imwrite(root / "train-labels.tif", labels, photometric="minisblack")
    tifffile.imwrite(root / "test-volume.tif", images[:6] // 2, photometric="minisblack")


def write_myops(root: Path) -> None:
    source = root.parent / f"{root.name}-source"
    write_hearts(source, patients=(101, 102, 103, 109), slices=3, size=(164, 160), seed=3)
    datasets.prepare_myops(source, root)


def write_bsds500(root: Path) -> None:
    for split in ("train", "val", "test"):
        for number in (1, 2):
            name = f"{split}{number}".encode().hex()
            save(root / "BSDS500/data/images" / split / f"{name}.jpg", photo(number))
            cells = np.empty((1, 3), object)
            for annotator in range(3):
                segments = 1 + np.arange(WIDTH) * (annotator + 2) // WIDTH
                plane = np.tile(segments.astype(np.uint16), (HEIGHT, 1))
                cells[0, annotator] = {"Segmentation": plane, "Boundaries": plane > 1}
            truth = root / "BSDS500/data/groundTruth" / split / f"{name}.mat"
            truth.parent.mkdir(parents=True, exist_ok=True)
            savemat(truth, {"groundTruth": cells})


def write_nuclei(root: Path) -> None:
    for seed in range(5):
        name = f"{seed:064x}"
        place = root / "stage1_train" / name
        alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
        save(place / "images" / f"{name}.png", np.concatenate([photo(seed), alpha], axis=-1))
        for nucleus in range(3):
            plane = np.zeros((HEIGHT, WIDTH), np.uint8)
            plane[3:9, 2 + 7 * nucleus : 9 + 7 * nucleus] = 255
            save(place / "masks" / f"{nucleus:064x}.png", plane)


def write_folder(root: Path) -> None:
    for seed in range(5):
        save(root / "images" / f"{seed}.jpg", photo(seed))
        save(root / "masks" / f"{seed}_mask.png", mask(seed, [0, 1, 2, 255]))
    (root / "classes.txt").write_text("sky\ntree 1\nold house\n")


WRITERS: dict[str, Callable[[Path], None]] = {
    "voc2012": write_voc2012,
    "cityscapes": write_cityscapes,
    "ade20k": write_ade20k,
    "camvid": write_camvid,
    "isbi2012": write_isbi2012,
    "myops": write_myops,
    "bsds500": write_bsds500,
    "nuclei": write_nuclei,
    "folder": write_folder,
}
OFFICIAL_SPLITS = {
    "voc2012": ["train", "val", "trainval", "trainaug"],
    "cityscapes": ["train", "val", "trainval"],
    "ade20k": ["train", "val", "trainval"],
    "camvid": ["train", "val", "test", "trainval"],
    "isbi2012": ["train", "val", "test", "trainval"],
    "myops": ["train", "val", "test", "trainval"],
    "bsds500": ["train", "val", "test", "trainval"],
    "nuclei": ["train", "val", "trainval"],
    "folder": ["train", "val", "trainval"],
}
CLASS_COUNTS = dict(zip(WRITERS, [21, 19, 150, 11, 2, 4, 2, 3, 3], strict=True))
FRACTION = 0.34


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a data set, made when first asked for."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            root = tmp_path_factory.mktemp(name) / "data"
            root.mkdir()
            WRITERS[name](root)
            folders[name] = root
        return folders[name]

    return folder_of


def test_every_data_set_has_a_writer() -> None:
    assert list(WRITERS) == list(datasets.datasets)


def test_unknown_data_set_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown data set 'voc2021': did you mean 'voc2012'"):
        datasets.open("voc2021", tmp_path)


@pytest.mark.parametrize("name", list(datasets.datasets))
class TestDataset:
    def test_is_recognized(self, name: str, made: Callable[[str], Path]) -> None:
        assert datasets.recognize(made(name)) == name

    def test_every_split_opens(self, name: str, made: Callable[[str], Path]) -> None:
        splits = datasets.splits(name, made(name), val_fraction=FRACTION)
        assert sorted(splits) == sorted(OFFICIAL_SPLITS[name])
        for split in splits:
            dataset = datasets.open(name, made(name), split=split, val_fraction=FRACTION)
            assert (dataset.name, dataset.split, dataset.root) == (name, split, made(name))
            assert len(dataset) > 0

    def test_samples(self, name: str, made: Callable[[str], Path]) -> None:
        for split in OFFICIAL_SPLITS[name]:
            dataset = datasets.open(name, made(name), split=split, val_fraction=FRACTION)
            for sample in dataset:
                height, width, channels = sample.image.shape
                assert channels == dataset.channels
                assert sample.image.dtype in (np.uint8, np.float32)
                assert sample.mask.shape == (height, width)
                assert sample.mask.dtype == np.uint8
                counted = sample.mask[sample.mask != dataset.ignore_index]
                assert counted.size == 0 or counted.max() < len(dataset.classes)
                assert sample.region is None or sample.region.shape == (height, width)
                assert sample.image.flags.writeable
                assert sample.name

    def test_classes_and_palette(self, name: str, made: Callable[[str], Path]) -> None:
        dataset = datasets.open(name, made(name))
        assert len(dataset.classes) == len(set(dataset.classes)) == CLASS_COUNTS[name]
        assert dataset.palette.shape == (len(dataset.classes), 3)
        assert dataset.palette.dtype == np.uint8
        assert dataset.channel_names == () or len(dataset.channel_names) == dataset.channels

    def test_order_and_names(self, name: str, made: Callable[[str], Path]) -> None:
        first, again = (datasets.open(name, made(name), val_fraction=FRACTION) for _ in range(2))
        assert first.pairs == again.pairs
        assert len({pair.name for pair in first.pairs}) == len(first)

    def test_val_is_apart_from_train(self, name: str, made: Callable[[str], Path]) -> None:
        parts = {
            split: datasets.open(name, made(name), split=split, val_fraction=FRACTION)
            for split in ("train", "val", "trainval")
        }
        train, val, both = ({pair.name for pair in part.pairs} for part in parts.values())
        assert not train & val
        assert train | val == both

    def test_pickled(self, name: str, made: Callable[[str], Path]) -> None:
        dataset = datasets.open(name, made(name))
        again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 (its own bytes, as workers do)
        np.testing.assert_array_equal(again[0].mask, dataset[0].mask)
        np.testing.assert_array_equal(again[0].image, dataset[0].image)

    def test_threads_read_the_same(self, name: str, made: Callable[[str], Path]) -> None:
        dataset = datasets.open(name, made(name))
        alone = [sample.mask for sample in dataset]
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(dataset.read, [*dataset.pairs] * 4))
        for index, sample in enumerate(together):
            np.testing.assert_array_equal(sample.mask, alone[index % len(alone)])

    def test_slices(self, name: str, made: Callable[[str], Path]) -> None:
        dataset = datasets.open(name, made(name))
        assert [sample.name for sample in dataset[:1]] == [dataset[0].name]
        with pytest.raises(IndexError):
            dataset[len(dataset)]

    def test_unknown_split(self, name: str, made: Callable[[str], Path]) -> None:
        with pytest.raises(UsageError, match=r"no split 'trian': did you mean 'train'\?"):
            datasets.open(name, made(name), split="trian")

    def test_unknown_option(self, name: str, made: Callable[[str], Path]) -> None:
        with pytest.raises(UsageError, match="unknown option 'targett'"):
            datasets.open(name, made(name), targett="foreground")

    def test_another_folder(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=f"is not laid out as {name}"):
            datasets.open(name, tmp_path)
        with pytest.raises(InputError, match="does not exist"):
            datasets.open(name, tmp_path / "absent")

    def test_damaged_image(self, name: str, tmp_path: Path) -> None:
        root = tmp_path / "data"
        root.mkdir()
        WRITERS[name](root)
        dataset = datasets.open(name, root)
        path = dataset.pairs[0].image
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match=path.name):
            datasets.open(name, root)[0]
