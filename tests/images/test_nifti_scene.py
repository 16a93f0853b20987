"""NIfTI scenes. Reference: what read_image gives of the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import Window, can_stream, open_scene, read_image
from segmint.images.array_scene import ArrayScene
from segmint.images.nifti_scene import NiftiScene

VALUES = np.random.default_rng(3).integers(0, 200, (13, 9, 5, 1, 2))


def written(path: Path, array: Any, *, scaled: bool = False, version: int = 1) -> Path:
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    file = kind(array, np.diag([2.0, 3.0, 4.0, 1.0]))
    if scaled:
        file.header.set_slope_inter(0.37, -5)
    nibabel.save(file, path)
    return path


@pytest.mark.parametrize("pages", ["auto", "first"])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("axes", [2, 3, 4, 5])
def test_values_are_those_of_the_reader(
    tmp_path: Path, axes: int, dtype: str, scaled: bool, pages: str
) -> None:
    array = VALUES.astype(dtype)[(..., *(0,) * (5 - axes))]
    path = written(tmp_path / "a.nii", array, scaled=scaled, version=1 + (axes == 3))
    image = read_image(path, pages=pages)
    with open_scene(path, pages=pages) as scene:
        assert isinstance(scene, NiftiScene)
        assert scene.shape == image.pixels.shape[:-1]
        assert scene.spacing == image.spacing
        assert scene.volume_shape == image.volume_shape
        assert scene.notes == image.notes
        np.testing.assert_array_equal(scene.affine, image.affine)
        for plane in range(scene.planes):
            pixels = image.pixels if scene.depth is None else image.pixels[plane]
            for window in (Window.whole(*scene.size), Window(top=2, bottom=7, left=3, right=8)):
                read = scene.read(window, plane)
                np.testing.assert_array_equal(read, pixels[window.slices], strict=True)
        assert scene.dtype == image.pixels.dtype
        assert scene.channels == image.channels


def test_color(tmp_path: Path) -> None:
    color = np.zeros((6, 5, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    color["G"] = np.arange(60).reshape(6, 5, 2)
    path = written(tmp_path / "a.nii", color)
    with open_scene(path) as scene:
        window = Window(top=1, bottom=6, left=2, right=4)
        expected = read_image(path).pixels[1][window.slices]
        np.testing.assert_array_equal(scene.read(window, 1), expected)


def test_gzip_is_decoded_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii.gz", VALUES[..., 0, 0].astype(np.int16))
    assert not can_stream(path)
    scene = open_scene(path)
    assert isinstance(scene, ArrayScene)
    assert scene.depth == 5
    with pytest.raises(InputError, match="counts 585 pixels"):
        open_scene(path, max_pixels=500)
    plain = written(tmp_path / "a.nii", VALUES[..., 0, 0].astype(np.int16))
    assert can_stream(plain, max_pixels=500)


def test_damage(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nii", VALUES[..., 0, 0].astype(np.int16))
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    with pytest.raises(InputError, match="was cut short"):
        open_scene(path)
    for place in range(0, 348, 3):
        path.write_bytes(data[:place] + b"\xff\xff" + data[place + 2 :])
        try:
            with open_scene(path) as scene:
                scene.read(Window.whole(2, 2), scene.planes - 1)
        except InputError as error:
            assert "\n" not in str(error)
    written(path, np.zeros((3, 3), np.complex64))
    with pytest.raises(InputError, match="NIfTI of complex64"):
        open_scene(path)


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    array = np.ones((6, 5, 3), np.float32)
    array[4, 2, 1] = np.nan
    path = written(tmp_path / "a.nii", array)
    with open_scene(path) as scene:
        scene.read(Window.whole(6, 5), 0)
        with pytest.raises(InputError, match="1 values that are NaN or infinite in rows 0 to 5"):
            scene.read(Window.whole(6, 5), 1)
