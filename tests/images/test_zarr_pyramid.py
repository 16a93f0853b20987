from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.images.label_levels import halved
from segmint.images.labels import read_labels
from segmint.images.masks import pair_files, read_masks, read_prediction
from segmint.images.tiff_pyramid import ReadIds
from segmint.images.window import Window
from segmint.images.zarr_labels import read_zarr_labels, read_zarr_level
from segmint.images.zarr_pyramid import write_zarr_maps, write_zarr_pyramid

zarr = pytest.importorskip("zarr", reason="the extra bigimage is not installed")


def made_up(shape: tuple[int, ...], dtype: Any = np.uint8) -> NDArray[Any]:
    stored = np.random.default_rng(0).integers(0, 5, shape).astype(dtype)
    stored[..., :70, 20:650] = np.iinfo(dtype).max
    return stored


def reading(stored: NDArray[Any]) -> ReadIds:
    planes = stored.reshape(-1, *stored.shape[-2:])

    def read(window: Window, plane: int) -> NDArray[Any]:
        assert max(window.size) <= 512
        return planes[plane][window.slices]

    return read


def write(path: Path, stored: NDArray[Any], **options: Any) -> Path:
    write_zarr_pyramid(path, reading(stored), shape=stored.shape, dtype=stored.dtype, **options)
    return path


@pytest.mark.parametrize("shape", [(1, 1), (1100, 1537), (2, 513, 600)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_is_the_halved_one_before(
    tmp_path: Path, shape: tuple[int, ...], dtype: Any
) -> None:
    stored = made_up(shape, dtype)
    group = zarr.open_group(write(tmp_path / "labels.zarr", stored), mode="r")
    names = [each["path"] for each in group.attrs["ome"]["multiscales"][0]["datasets"]]
    want = stored.reshape(-1, *stored.shape[-2:])
    for name in names:
        level = np.asarray(group[name][...])
        assert np.array_equal(level.reshape(want.shape), want)
        want = np.stack([halved(plane) for plane in want])
    assert max(level.shape[-2:]) <= 512


def test_axes_scales_and_colors_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "labels.zarr",
        made_up((2, 600, 700)),
        ids=(0, 2),
        colors=np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8),
        spacing=(5.0, 0.5, 0.25),
    )
    described = json.loads((path / "zarr.json").read_text())["attributes"]["ome"]
    scales = described["multiscales"][0]
    assert described["version"] == "0.5"
    assert [(axis["name"], axis["unit"]) for axis in scales["axes"]] == [
        ("z", "millimeter"),
        ("y", "millimeter"),
        ("x", "millimeter"),
    ]
    # Four pixels become one: it is twice as large, and its middle lies half a pixel further.
    assert scales["datasets"][1]["coordinateTransformations"] == [
        {"type": "scale", "scale": [5.0, 1.0, 0.5]},
        {"type": "translation", "translation": [0.0, 0.25, 0.125]},
    ]
    assert described["image-label"]["colors"] == [
        {"label-value": 0, "rgba": [1, 2, 3, 255]},
        {"label-value": 2, "rgba": [7, 8, 9, 255]},
    ]


@pytest.mark.parametrize("shape", [(600, 700), (3, 600, 700)])
def test_ids_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    stored = made_up(shape)
    path = write(tmp_path / "labels.zarr", stored)
    want = np.where(stored == 255, -1, stored.astype(np.int64))
    assert np.array_equal(read_labels(path), want)
    assert np.array_equal(read_prediction(path), want)
    assert np.array_equal(read_masks(path)[0], stored)


def test_a_folder_of_that_format_is_one_label_map(tmp_path: Path) -> None:
    stored = made_up((60, 70))
    predictions, masks = tmp_path / "predictions", tmp_path / "masks"
    for folder in (predictions / "cell", masks):
        folder.mkdir(parents=True)
    labels = write(predictions / "cell" / "labels.zarr", stored)
    mask = write(masks / "cell.zarr", stored)
    assert pair_files(predictions, masks) == [("cell", labels, mask)]
    assert pair_files(labels, mask) == [("cell", labels, mask)]


def test_the_smallest_level_that_is_large_enough(tmp_path: Path) -> None:
    stored = made_up((2, 700, 1100))
    path = write(tmp_path / "labels.zarr", stored)
    assert np.array_equal(read_zarr_level(path, 550, 1), halved(stored[1]))
    assert read_zarr_level(path, 551, 1).shape == (700, 1100)


def test_maps_have_channels_first(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((2, 3, 60, 520)).astype(np.float16)
    path = tmp_path / "probabilities.zarr"
    write_zarr_maps(path, reading(maps), shape=maps.shape, axes="czyx", spacing=(5.0, 0.5, 0.25))
    group = zarr.open_group(path, mode="r")
    assert np.array_equal(group["0"][...], maps)
    scales = group.attrs["ome"]["multiscales"][0]
    assert [axis["type"] for axis in scales["axes"]] == ["channel", "space", "space", "space"]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [1, 5, 0.5, 0.25]


def test_what_is_no_label_image_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.zarr", made_up((60, 70)))
    with pytest.raises(InputError, match="accepted are at most 100"):
        read_zarr_labels(path, max_pixels=100)
    shutil.rmtree(path / "0")
    with pytest.raises(InputError, match="damaged or no label image"):
        read_zarr_labels(path)
    (path / "zarr.json").write_text("{")
    with pytest.raises(InputError, match="damaged or no label image"):
        read_labels(path)


def test_without_zarr_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(UsageError, match=r"segmint\[bigimage\]"):
        write(tmp_path / "labels.zarr", made_up((60, 70)))
