from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import Image, read_image, write_prepared
from segmint.images.spacing import read_spacing

STEPS = (0.75, 1.25, 8.0)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "two.nii"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 1), (4, 5), (4, 5, 3, 2)])
def test_nifti_as_its_pixels_are_read(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    kind = nibabel.Nifti2Image if name == "two.nii" else nibabel.Nifti1Image
    file = kind(np.zeros(shape, np.uint8), np.diag([*STEPS, 1]))
    nibabel.save(file, tmp_path / name)
    found = read_spacing(tmp_path / name)
    expected = STEPS[:2] if shape[2:] in ((), (1,)) else (STEPS[2], *STEPS[:2])
    assert found == expected
    assert found == read_image(tmp_path / name, pages="stack").spacing


def test_steps_of_zero_tell_nothing(tmp_path: Path) -> None:
    file = nibabel.Nifti1Image(np.zeros((4, 5, 3), np.uint8), np.eye(4))
    file.header["pixdim"][1:4] = (1, 0, 1)
    (tmp_path / "a.nii").write_bytes(file.to_bytes())
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[80:84] = np.float32(0).tobytes()
    (tmp_path / "a.nii").write_bytes(bytes(raw))
    assert read_spacing(tmp_path / "a.nii") is None


def test_prepared_file(tmp_path: Path) -> None:
    image = Image(
        pixels=np.ones((2, 3, 1)),
        region=np.ones((2, 3), np.bool_),
        mask=np.zeros((2, 3), np.int32),
        spacing=(0.7, 0.8),
        channel_names=("T2",),
        class_names=("muscle",),
    )
    write_prepared(tmp_path / "a.npz", image)
    assert read_spacing(tmp_path / "a.npz") == (0.7, 0.8)


def test_other_files_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty").touch()
    assert read_spacing(tmp_path / "a.png") is None
    assert read_spacing(tmp_path / "empty") is None


def test_absent_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_spacing(tmp_path / "absent.nii")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(InputError, match=r"a\.npz"):
        read_spacing(tmp_path / "a.npz")
    (tmp_path / "a.nii.gz").write_bytes(b"\x1f\x8b broken")
    assert read_spacing(tmp_path / "a.nii.gz") is None
