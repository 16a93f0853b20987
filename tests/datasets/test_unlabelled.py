from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.sample import Sample
from segmint.datasets.unlabelled import open_unlabelled, unlabelled_batch_size
from segmint.errors import InputError, UsageError
from segmint.images import image as images
from segmint.images.prepared import write_prepared

DatasetOf = Callable[..., Dataset]
RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 4), dtype=np.uint8)


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def like(dataset_of: DatasetOf) -> Dataset:
    sample = Sample(image=COLOR, mask=np.zeros((5, 7), np.uint8))
    return dataset_of([sample])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images, one of them grey and one in an inner folder, and other things."""
    place = tmp_path / "more"
    save(place / "b10.png", COLOR)
    save(place / "b9.png", GREY)
    save(place / "deep" / "er" / "b9.png", COLOR[::-1])
    save(place / ".hidden.png", COLOR)
    (place / "notes.txt").write_text("of the images")
    return place


def test_every_image_of_the_folder(folder: Path, like: Dataset) -> None:
    found = open_unlabelled(folder, like)
    paths = [folder / "b9.png", folder / "b10.png", folder / "deep" / "er" / "b9.png"]
    assert [pair.image for pair in found.pairs] == paths
    assert [sample.name for sample in found] == list(map(str, paths))
    assert len({pair.name for pair in found.pairs}) == 3
    assert all(pair.mask is None for pair in found.pairs)
    assert (found.root, found.split, found.notes) == (folder, "unlabelled", ())
    grey, color, flipped = (sample.image for sample in found)
    np.testing.assert_array_equal(grey, np.repeat(GREY[..., np.newaxis], 3, axis=-1))
    np.testing.assert_array_equal(color, COLOR)
    np.testing.assert_array_equal(flipped, COLOR[::-1])


@pytest.mark.parametrize("ignore_index", [255, 0, 7])
def test_what_is_known_is_that_of_the_data_set(
    folder: Path, like: Dataset, ignore_index: int
) -> None:
    like = replace(like, ignore_index=ignore_index, channel_names=("r", "g", "b"))
    found = open_unlabelled(str(folder), like)
    assert found.classes == like.classes
    assert found.palette is like.palette
    assert (found.channels, found.channel_names) == (3, ("r", "g", "b"))
    assert found.ignore_index == ignore_index
    for sample in found:
        assert sample.mask.dtype == np.uint8
        assert sample.mask.shape == sample.image.shape[:2]
        assert (sample.mask == ignore_index).all()
        assert sample.region is None


def test_a_folder_of_images_beside_masks(folder: Path, like: Dataset) -> None:
    image = save(folder / "images" / "train" / "a.png", COLOR)
    save(folder / "masks" / "train" / "a.png", GREY)
    found = open_unlabelled(folder, like)
    assert [pair.image for pair in found.pairs] == [image]
    assert found.notes == (f"images without masks are those of {folder / 'images'}",)


def test_a_file_and_a_pattern(folder: Path, like: Dataset) -> None:
    assert len(open_unlabelled(folder / "b9.png", like)) == 1
    assert len(open_unlabelled(folder / "b*.png", like)) == 2


def test_images_that_have_masks_too_are_told(folder: Path, like: Dataset) -> None:
    shared = Pair(image=folder / "deep" / ".." / "b10.png", mask=None, name="b10")
    found = open_unlabelled(folder, replace(like, pairs=(shared,)))
    assert len(found) == 3
    assert len(found.notes) == 1
    start = f"1 of the 3 images without masks are images of split train, too, such as {folder}"
    assert found.notes[0].startswith(start)


def test_images_that_judge_are_left_out(folder: Path, like: Dataset) -> None:
    judging = Pair(image=folder / "deep" / ".." / "b10.png", mask=None, name="b10")
    held_out = replace(like, pairs=(judging,), split="val")
    found = open_unlabelled(folder, like, held_out=held_out)
    assert [pair.image.name for pair in found.pairs] == ["b9.png", "b9.png"]
    (note,) = found.notes
    assert note.startswith("1 of the 3 images without masks are images of split val")
    with pytest.raises(InputError, match=r"all images in .* are of split val"):
        open_unlabelled(folder / "b10.png", like, held_out=held_out)


def test_prepared_images_keep_their_region(tmp_path: Path, like: Dataset) -> None:
    region = RNG.random((5, 7)) < 0.5
    prepared = images.Image(
        pixels=COLOR.astype(np.float32),
        region=region,
        mask=np.where(region, 0, 255).astype(np.int32),
        channel_names=("a", "b", "c"),
        class_names=("other",),
    )
    write_prepared(tmp_path / "a.npz", prepared)
    (sample,) = open_unlabelled(tmp_path, like)
    np.testing.assert_array_equal(sample.image, COLOR)
    assert sample.region is not None
    np.testing.assert_array_equal(sample.region, region)
    assert (sample.mask == 255).all()


def test_worker_processes_can_read_it(folder: Path, like: Dataset) -> None:
    found = open_unlabelled(folder, like)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(again[1].image, COLOR)


def test_missing_folder(folder: Path, like: Dataset) -> None:
    with pytest.raises(InputError, match=r"mor does not exist, .*: did you mean 'more'\?"):
        open_unlabelled(folder.with_name("mor"), like)


def test_empty_folder(tmp_path: Path, like: Dataset) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match=r"holds no image, accepted are \.png, .*: name another"):
        open_unlabelled(tmp_path, like)


def test_other_channels_are_named_when_read(folder: Path, like: Dataset) -> None:
    np.save(folder / "b11.npy", RNG.integers(0, 256, (5, 7, 5), dtype=np.uint8))
    found = open_unlabelled(folder, like)
    with pytest.raises(InputError, match=r"b11\.npy has 5 channels and its data set has 3"):
        found[2]
    grey = open_unlabelled(folder, replace(like, channels=1))
    assert grey[0].image.shape == (6, 4, 1)
    with pytest.raises(InputError, match=r"b10\.png has 3 channels and its data set has 1"):
        grey[1]


def test_a_damaged_image_is_named_when_read(folder: Path, like: Dataset) -> None:
    path = folder / "b10.png"
    path.write_bytes(path.read_bytes()[:60])
    found = open_unlabelled(folder, like)
    assert found[0].image.shape == (6, 4, 3)
    with pytest.raises(InputError, match=r"b10\.png"):
        found[1]


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_to_nothing_is_no_image(folder: Path, like: Dataset) -> None:
    (folder / "b12.png").symlink_to(folder / "gone.png")
    assert len(open_unlabelled(folder, like)) == 3


def test_how_many_go_into_a_batch(folder: Path, like: Dataset) -> None:
    found = open_unlabelled(folder, like)
    assert unlabelled_batch_size(found, asked=0, labelled=2) == 2
    assert unlabelled_batch_size(found, asked=0, labelled=8) == 3
    assert unlabelled_batch_size(found, asked=1, labelled=8) == 1
    message = (
        r"more holds 3 images, but --unlabelled-batch-size is 4: pass --unlabelled-batch-size 3 or "
    )
    with pytest.raises(InputError, match=message):
        unlabelled_batch_size(found, asked=4, labelled=8)


def test_processes_share_what_goes_into_a_batch(folder: Path, like: Dataset) -> None:
    found = open_unlabelled(folder, like)
    assert unlabelled_batch_size(found, asked=0, labelled=2, devices=2) == 2
    with pytest.raises(UsageError, match=r"size is 3, but 2 processes share .* a multiple of 2"):
        unlabelled_batch_size(found, asked=3, labelled=2, devices=2)
    with pytest.raises(UsageError, match=r"more holds 3 images, but 4 processes .*: add some, or"):
        unlabelled_batch_size(found, asked=0, labelled=4, devices=4)
    one = open_unlabelled(folder / "b9.png", like)
    with pytest.raises(UsageError, match=r"b9\.png holds 1 image, but 2 processes"):
        unlabelled_batch_size(one, asked=1, labelled=4, devices=2)
