"""What recipes without masks learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.errors import InputError, UsageError
from segmint.recipes.file_options import FileOptions
from segmint.recipes.training_files import at_equal_steps, training_files
from segmint.recipes.training_images import readable_images, training_images


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures, named 0.png to 11.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        Pillow.fromarray(np.full((4, 5, 3), number, np.uint8)).save(folder / f"{number}.png")
    return folder


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def silent(line: str) -> None:
    del line


def test_folders_patterns_lists_and_tables(photos: Path) -> None:
    (photos.parent / "some.txt").write_text("photos/3.png\n# a remark\nphotos/10.png\n")
    (photos.parent / "some.csv").write_text("image,name\nphotos/1.png,one\nphotos/3.png,three\n")
    everything = names(training_files([photos]).paths)
    assert everything == [f"{number}.png" for number in range(12)]
    asked = [photos.parent / "some.txt", photos.parent / "some.csv", str(photos / "1*.png")]
    found = training_files(asked)
    assert names(found.paths) == ["3.png", "10.png", "1.png", "11.png"]
    assert found.notes == ()


def test_each_image_of_a_zarr_folder(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "many.zarr", mode="w", zarr_format=2)
    for number in range(3):
        image = group.create_group(f"image{number}")
        image.create_array("0", data=np.full((3, 6, 7), number, np.uint8))
        axes = [
            {"name": name, "type": kind}
            for name, kind in zip("cyx", ("channel", *["space"] * 2), strict=True)
        ]
        image.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    images = training_images([tmp_path / "many.zarr"], FileOptions(), say=silent)
    assert [int(image.pixels.max()) for image in images] == [0, 1, 2]


def test_a_sample_is_said_and_always_the_same(photos: Path) -> None:
    files = FileOptions(sample=5)
    found = training_files([photos], files)
    assert names(found.paths) == ["0.png", "2.png", "4.png", "7.png", "9.png"]
    assert found.notes == ("learning from a sample: 5 of 12 images",)
    assert training_files([photos], files) == found
    assert training_files([photos], FileOptions(sample=99)).paths == training_files([photos]).paths


def test_an_image_named_twice_counts_once(photos: Path) -> None:
    found = training_files([photos, photos / "3.png", photos], FileOptions(sample=12))
    assert len(set(found.paths)) == 12


def test_guides_of_a_table_are_not_silently_left_out(photos: Path) -> None:
    table = photos.parent / "guided.csv"
    table.write_text("image,region\nphotos/1.png,photos/2.png\n")
    (note,) = training_files([table]).notes
    assert note.startswith("regions and scribbles that a table names are not looked at")


@given(st.integers(1, 500), st.integers(1, 500))
def test_steps_are_equal(count: int, wanted: int) -> None:
    places = list(at_equal_steps(count, wanted))
    assert len(places) == min(count, wanted)
    assert places[0] == 0
    steps = np.diff([*places, count])
    assert steps.min() >= 1
    assert steps.max() - steps.min() <= 1


@pytest.mark.parametrize("sample", [0, -3, 2.5, "many", True])
def test_samples_that_are_none(sample: object) -> None:
    with pytest.raises(UsageError, match="--sample is"):
        FileOptions(sample=sample)


def test_images_that_cannot_be_read(photos: Path) -> None:
    (photos / "3.png").write_bytes(b"no image")
    said: list[str] = []
    images, failures = readable_images([photos], FileOptions(sample=4), say=said.append)
    assert [Path(str(image.source)).name for image in images] == ["0.png", "6.png", "9.png"]
    assert len(failures) == 1
    assert "3.png" in failures[0]
    assert said == ["note: learning from a sample: 4 of 12 images"]
    with pytest.raises(InputError, match=r"3\.png"):
        training_images([photos], FileOptions(), say=silent)
    with pytest.raises(InputError, match=r"3\.png"):
        readable_images([photos / "3.png"], FileOptions(), say=silent)


def test_images_that_a_list_names_and_are_not_there(photos: Path) -> None:
    listed = photos.parent / "some.txt"
    listed.write_text("photos/3.png\nphotos/300.png\nphotos/301.png\n")
    images, failures = readable_images([listed], FileOptions(), say=silent)
    assert (len(images), len(failures)) == (1, 2)
    listed.write_text("photos/300.png\nphotos/301.png\n")
    with pytest.raises(InputError, match=r"300\.png does not exist.* \(1 other file failed too\)"):
        readable_images([listed], FileOptions(), say=silent)
