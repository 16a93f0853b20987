"""NIfTI volumes. Reference: nibabel's own reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from segmint.errors import InputError
from segmint.images import OUTSIDE, read_image, read_labels, write_labels

AFFINE = np.array(
    [[-0.8, 0.0, 0.0, 12.0], [0.0, 0.9, 0.0, -7.0], [0.0, 0.0, 5.0, 3.0], [0.0, 0.0, 0.0, 1.0]]
)
SPACING = (0.8, 0.9, 5.0)


def volume(*shape: int, dtype: str = "int16") -> npt.NDArray[Any]:
    return np.random.default_rng(2).integers(0, 120, shape).astype(dtype)


def saved(path: Path, array: npt.NDArray[Any], scaling: tuple[float, float] | None = None) -> Path:
    file = nibabel.Nifti1Image(array, AFFINE)
    if scaling is not None:
        file.header.set_slope_inter(*scaling)
    nibabel.save(file, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.dat.nii.gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint16", "float32", "float64"])
def test_a_volume_is_a_stack_along_its_last_axis(tmp_path: Path, name: str, dtype: str) -> None:
    array = volume(5, 6, 4, dtype=dtype)
    image = read_image(saved(tmp_path / name, array))
    assert image.pixels.dtype == np.dtype(dtype)
    for index in range(4):
        np.testing.assert_array_equal(image.pixels[index, ..., 0], array[:, :, index])
    assert image.affine is not None
    np.testing.assert_allclose(image.affine, AFFINE)
    np.testing.assert_allclose(image.spacing, (5.0, 0.8, 0.9), rtol=1e-6)


def test_a_fourth_axis_is_channels(tmp_path: Path) -> None:
    array = volume(5, 6, 4, 3)
    image = read_image(saved(tmp_path / "a.nii", array))
    np.testing.assert_array_equal(image.pixels, np.moveaxis(array, 2, 0))


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1)])
def test_one_slice_is_an_image(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = volume(*shape)
    image = read_image(saved(tmp_path / "a.nii", array))
    np.testing.assert_array_equal(image.pixels[..., 0], array.reshape(5, 6))
    np.testing.assert_allclose(image.spacing, (0.8, 0.9), rtol=1e-6)


@pytest.mark.parametrize("scaling", [(0.5, -3.0), (2.0, 0.0)])
def test_scaling_of_the_header_is_applied(tmp_path: Path, scaling: tuple[float, float]) -> None:
    stored = volume(5, 6, 4)
    path = saved(tmp_path / "a.nii.gz", stored, scaling)
    scaled = stored * scaling[0] + scaling[1]
    np.testing.assert_allclose(nibabel.load(path).get_fdata(), scaled)
    image = read_image(path)
    assert image.pixels.dtype == np.float32
    np.testing.assert_allclose(image.pixels[..., 0], np.moveaxis(scaled, 2, 0), rtol=1e-6)
    assert image.notes[0] == "int16 values scaled as the header says"


def test_first_slice_keeps_its_place(tmp_path: Path) -> None:
    array = volume(5, 6, 4)
    image = read_image(saved(tmp_path / "a.nii", array), pages="first")
    np.testing.assert_array_equal(image.pixels[..., 0], array[:, :, 0])
    assert image.volume_shape == (5, 6, 1)


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1), (5, 6, 4), (5, 6, 4, 2)])
def test_labels_lie_on_their_image(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = saved(tmp_path / "a.nii.gz", volume(*shape))
    image = read_image(path)
    labels = np.arange(image.pixels[..., 0].size).reshape(image.pixels.shape[:-1]) - 1
    written = write_labels(tmp_path / "a.labels", labels, like=image)
    assert written == tmp_path / "a.labels.nii.gz"
    file = nibabel.load(written)
    assert file.shape == shape[:3]
    np.testing.assert_allclose(file.affine, AFFINE)
    values = np.asarray(file.dataobj).astype(int)
    stack = np.moveaxis(values, 2, 0) if len(values.shape) == 3 else values
    np.testing.assert_array_equal(stack.reshape(labels.shape).ravel()[1:], labels.ravel()[1:])
    np.testing.assert_array_equal(read_labels(written), labels)
    assert read_labels(written).ravel()[0] == OUTSIDE


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_cut_volume_is_never_completed(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, volume(5, 6, 4))
    whole = path.read_bytes()
    for length in range(1, len(whole) - 1, max(1, len(whole) // 50)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_image(path)


def test_limit_and_unreadable_kinds(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", volume(5, 6, 4))
    with pytest.raises(InputError, match=r"5 x 6 x 4 .* 120 pixels, .* 119"):
        read_image(path, max_pixels=119)
    saved(path, volume(5, 6, 4).astype(np.complex64))
    with pytest.raises(InputError, match="NIfTI of complex64"):
        read_image(path)
    saved(path, volume(5, 6, 4, 2, 2))
    with pytest.raises(InputError, match="accepted are 2, 3 or 4 axes"):
        read_image(path)
