"""Images in Zarr folders. Reference: what was written, and ``open_scene``, which opens each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from segmint.engines.collection import open_collection
from segmint.errors import InputError
from segmint.images import open_scene
from segmint.images.zarr_images import zarr_images

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])
PIXELS = np.arange(20, dtype=np.uint8).reshape(4, 5)


def group(path: Path, zarr_format: Any, **described: Any) -> Path:
    ome = described if zarr_format == 2 or not described else {"ome": described}
    zarr.create_group(path, zarr_format=zarr_format, attributes=ome)
    return path


def array(path: Path, zarr_format: Any) -> Path:
    zarr.create_array(path, data=PIXELS, zarr_format=zarr_format)
    return path


def image(path: Path, zarr_format: Any) -> Path:
    datasets = [{"path": "s0"}]
    axes = [{"name": "y"}, {"name": "x"}]
    group(path, zarr_format, multiscales=[{"axes": axes, "datasets": datasets}])
    array(path / "s0", zarr_format)
    return path


def plate(path: Path, zarr_format: Any, wells: dict[str, list[str]]) -> Path:
    group(path, zarr_format, plate={"wells": [{"path": well} for well in wells]})
    for well, fields in wells.items():
        group(path / well, zarr_format, well={"images": [{"path": field} for field in fields]})
        for field in fields:
            image(path / well / field, zarr_format)
    return path


def opened(folder: Path) -> list[str]:
    """Places of the images, each of which can be opened."""
    places = zarr_images(folder)
    for place in places:
        with open_scene(folder / place) as scene:
            assert scene.size == PIXELS.shape
    return places


@FORMATS
def test_plates_and_wells(tmp_path: Path, zarr_format: int) -> None:
    folder = plate(tmp_path / "p.zarr", zarr_format, {"B/1": ["0", "1"], "A/10": ["0"]})
    assert opened(folder) == ["B/1/0", "B/1/1", "A/10/0"]
    assert opened(folder / "B" / "1") == ["0", "1"]
    assert opened(folder / "B" / "1" / "0") == [""]


@FORMATS
@pytest.mark.parametrize("listed", [None, ["1", "0"], ["0"]])
def test_series(tmp_path: Path, zarr_format: int, listed: list[str] | None) -> None:
    folder = group(tmp_path / "s.zarr", zarr_format, **{"bioformats2raw.layout": 3})
    for number in range(2):
        image(folder / str(number), zarr_format)
    if listed is not None:
        group(folder / "OME", zarr_format, series=listed)
    assert opened(folder) == ([""] if listed == ["0"] else listed or ["0", "1"])


@FORMATS
def test_groups_of_images(tmp_path: Path, zarr_format: int) -> None:
    folder = group(tmp_path / "g.zarr", zarr_format)
    image(folder / "cell10", zarr_format)
    image(folder / "cell9", zarr_format)
    group(folder / "inner", zarr_format)
    group(folder / "inner" / "alone", zarr_format)
    array(folder / "inner" / "alone" / "pixels", zarr_format)
    plate(folder / "plate", zarr_format, {"A/1": ["0"]})
    group(folder / "labels", zarr_format, labels=["cells"])
    image(folder / "labels" / "cells", zarr_format)
    group(folder / "empty", zarr_format)
    (folder / "no group").mkdir()
    assert opened(folder) == ["cell9", "cell10", "inner/alone", "plate/A/1/0"]


@FORMATS
def test_one_image_stays_one(tmp_path: Path, zarr_format: int) -> None:
    single = image(tmp_path / "i.zarr", zarr_format)
    group(single / "labels", zarr_format, labels=["cells"])
    image(single / "labels" / "cells", zarr_format)
    assert opened(single) == [""]
    assert opened(array(tmp_path / "a.zarr", zarr_format)) == [""]
    folder = group(tmp_path / "g.zarr", zarr_format)
    array(folder / "pixels", zarr_format)
    group(folder / "table", zarr_format)
    assert opened(folder) == [""]
    array(folder / "more", zarr_format)
    assert zarr_images(folder) == [""], "which array is meant is asked when it is opened"


@pytest.mark.parametrize("damage", ["missing", "{", '{"zarr_format": 3, "node_type": "group"}'])
def test_a_well_that_is_damaged_is_one_image_that_fails(tmp_path: Path, damage: str) -> None:
    folder = plate(tmp_path / "p.zarr", 3, {"A/1": ["0"], "A/2": ["0"]})
    metadata = folder / "A" / "1" / "zarr.json"
    metadata.unlink() if damage == "missing" else metadata.write_text(damage)
    assert zarr_images(folder) == ["A/1", "A/2/0"]


@pytest.mark.parametrize(
    "described",
    [
        {"plate": 5},
        {"plate": {}},
        {"plate": {"wells": "A/1"}},
        {"well": {"images": 3}},
        {"well": {"images": {}}},
        {"bioformats2raw.layout": None},
        {"multiscales": "x"},
        {"plate": {"wells": []}},
        {},
    ],
    ids=str,
)
@FORMATS
def test_nothing_is_known_of_it(
    tmp_path: Path, described: dict[str, Any], zarr_format: int
) -> None:
    assert zarr_images(group(tmp_path / "x.zarr", zarr_format, **described)) == [""]


@pytest.mark.parametrize(
    "path", ["../b.zarr", "/etc", "A/../../b.zarr", "", ".", 5, None, "a\0", "\ud800"], ids=repr
)
def test_places_outside_are_refused(tmp_path: Path, path: Any) -> None:
    image(tmp_path / "b.zarr", 2)
    folder = group(tmp_path / "p.zarr", 2)
    text = json.dumps({"plate": {"wells": [{"path": path}]}})
    (folder / ".zattrs").write_text(text)
    with pytest.raises(InputError, match=r"p.zarr names .* as the place of an image") as caught:
        zarr_images(folder)
    assert str(caught.value).isprintable()


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    image(tmp_path / "b.zarr", 2)
    folder = group(tmp_path / "p.zarr", 2, plate={"wells": [{"path": "A"}]})
    (folder / "A").symlink_to(tmp_path / "b.zarr", target_is_directory=True)
    with pytest.raises(InputError, match="names 'A' as the place"):
        zarr_images(folder)
    loose = group(tmp_path / "g.zarr", 2)
    (loose / "A").symlink_to(tmp_path / "b.zarr", target_is_directory=True)
    (loose / "around").symlink_to(loose, target_is_directory=True)
    assert zarr_images(loose) == [""]


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder = group(tmp_path / "d.zarr", 2)
    for _ in range(30):
        deep = group(deep / "d", 2)
    image(deep / "i", 2)
    assert zarr_images(folder) == [""]
    wells = {"A/1": ["0", "1"], "A/2": ["0"]}
    many = plate(tmp_path / "p.zarr", 2, wells)
    monkeypatch.setattr("segmint.images.zarr_images._MOST_IMAGES", 2)
    with pytest.raises(InputError, match="holds more than 2 images"):
        zarr_images(many)
    monkeypatch.setattr("segmint.images.zarr_images._MOST_GROUPS", 5)
    with pytest.raises(InputError, match="holds more than 5 groups"):
        zarr_images(folder)


def test_names_of_results(tmp_path: Path) -> None:
    plate(tmp_path / "p.zarr", 2, {"A/1": ["0"], "B/2": ["0", "1"]})
    plate(tmp_path / "more" / "p.ome.zarr", 2, {"A/1": ["0"]})
    image(tmp_path / "alone.ome.zarr", 2)
    collection = open_collection([str(tmp_path)], recursive=True)
    assert [item.name for item in collection] == [
        "alone",
        "p.ome.zarr-A-1-0",
        "p.zarr-A-1-0",
        "p-B-2-0",
        "p-B-2-1",
    ]
    assert next(iter(open_collection([str(tmp_path / "p.zarr")]))).name == "p-A-1-0"
    twice = open_collection([str(tmp_path / each) for each in ("p.zarr", "p.zarr/A/1")])
    assert [item.name for item in twice] == ["p-A-1-0", "p-B-2-0", "p-B-2-1"]
