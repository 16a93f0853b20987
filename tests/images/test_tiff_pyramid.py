from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

from segmint.images.label_levels import halved
from segmint.images.labels import read_labels
from segmint.images.masks import pair_files, read_masks, read_prediction, read_stored
from segmint.images.palettes import palette
from segmint.images.tiff_pyramid import ReadIds, read_tiff_level, write_tiff_pyramid
from segmint.images.window import Window

UUID = "12345678-1234-5678-1234-567812345678"


def made_up(shape: tuple[int, ...], dtype: Any = np.uint8, ids: int = 5) -> NDArray[Any]:
    stored = np.random.default_rng(0).integers(0, ids, shape).astype(dtype)
    stored[..., :70, 20:650] = np.iinfo(dtype).max
    return stored


def reading(stored: NDArray[Any]) -> ReadIds:
    planes = stored.reshape(-1, *stored.shape[-2:])

    def read(window: Window, plane: int) -> NDArray[Any]:
        assert max(window.size) <= 512
        return planes[plane][window.slices]

    return read


def write(path: Path, stored: NDArray[Any], **options: Any) -> Path:
    options = {"identifier": UUID, **options}
    write_tiff_pyramid(path, reading(stored), shape=stored.shape, dtype=stored.dtype, **options)
    return path


SHAPES = [(1, 1), (512, 512), (1100, 1537), (513, 30), (3, 700, 1100)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_every_level_is_the_halved_one_before(
    tmp_path: Path, shape: tuple[int, ...], dtype: Any
) -> None:
    stored = made_up(shape, dtype)
    with tifffile.TiffFile(write(tmp_path / "labels.tif", stored)) as file:
        levels = [level.asarray() for level in file.series[0].levels]
        assert all(page.tile == (512, 512) for page in file.pages)
    want = stored.reshape(-1, *stored.shape[-2:])
    for level in levels:
        assert np.array_equal(level.reshape(want.shape), want)
        last = level
        want = np.stack([halved(plane) for plane in want])
    assert max(last.shape[-2:]) <= 512


def test_pillow_sees_the_colors(tmp_path: Path) -> None:
    stored = made_up((600, 700))
    with Pillow.open(write(tmp_path / "labels.tif", stored)) as picture:
        assert np.array_equal(np.asarray(picture.convert("RGB")), palette()[stored])


def test_classes_keep_their_own_colors(tmp_path: Path) -> None:
    own = np.array([[9, 8, 7], [1, 2, 3]], np.uint8)
    stored = made_up((60, 70), ids=2)
    with Pillow.open(write(tmp_path / "labels.tif", stored, colors=own)) as picture:
        table = np.concatenate([own, palette()[2:]])
        assert np.array_equal(np.asarray(picture.convert("RGB")), table[stored])


@pytest.mark.parametrize("shape", [(600, 700), (3, 600, 700)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ids_come_back_and_not_colors(tmp_path: Path, shape: tuple[int, ...], dtype: Any) -> None:
    stored = made_up(shape, dtype)
    path = write(tmp_path / "labels.tif", stored)
    want = np.where(stored == np.iinfo(dtype).max, -1, stored.astype(np.int64))
    assert np.array_equal(read_labels(path), want)
    assert np.array_equal(read_prediction(path), want)
    assert np.array_equal(read_masks(path)[0], stored)


def test_a_pyramid_is_a_mask_for_evaluation(tmp_path: Path) -> None:
    stored = made_up((600, 700))
    (tmp_path / "result").mkdir()
    path = write(tmp_path / "result" / "labels.tif", stored)
    mask = write(tmp_path / "truth.tif", stored)
    assert pair_files(tmp_path / "result", mask) == [("result", path, mask)]
    assert np.array_equal(read_stored(mask), stored)


def test_the_size_of_pixels_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.tif", made_up((2, 60, 70)), spacing=(5.0, 0.5, 0.25))
    with tifffile.TiffFile(path) as file:
        xml = file.ome_metadata
        assert file.pages[0].tags["XResolution"].value == (40, 1)
        assert file.pages[0].tags["YResolution"].value == (20, 1)
    assert xml is not None
    assert 'PhysicalSizeX="0.25" PhysicalSizeXUnit="mm"' in xml
    assert 'PhysicalSizeZ="5.0" PhysicalSizeZUnit="mm"' in xml


def test_the_same_labels_are_the_same_file(tmp_path: Path) -> None:
    stored = made_up((600, 700))
    first, again = (write(tmp_path / name, stored).read_bytes() for name in ("a.tif", "b.tif"))
    assert first == again


def test_the_smallest_level_that_is_large_enough(tmp_path: Path) -> None:
    stored = made_up((2, 700, 1100))
    path = write(tmp_path / "labels.tif", stored)
    assert np.array_equal(read_tiff_level(path, 550, 1), halved(stored[1]))
    assert read_tiff_level(path, 551, 1).shape == (700, 1100)
    assert read_tiff_level(path, 9999, 1).shape == (700, 1100)
    assert [each.name for each in tmp_path.iterdir()] == ["labels.tif"]
