from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import Image, read_image, write_maps
from segmint.images.map_reading import find_maps, read_maps


@pytest.mark.parametrize("shape", [(3, 8, 6), (1, 8, 6), (2, 5, 8, 6), (1, 5, 8, 6), (21, 4, 4)])
def test_maps_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    maps = np.random.default_rng(0).random(shape, np.float32)
    path = write_maps(tmp_path / "probabilities", maps)
    assert find_maps(tmp_path / "probabilities") == path
    np.testing.assert_array_equal(read_maps(path), maps)


@pytest.mark.parametrize("depth", [1, 4])
def test_maps_of_volumes_come_back(tmp_path: Path, depth: int) -> None:
    volume = nibabel.Nifti1Image(np.zeros((5, 6, depth), np.uint8), np.diag([1, 2, 3, 1]))
    nibabel.save(volume, tmp_path / "image.nii.gz")
    image: Image = read_image(tmp_path / "image.nii.gz")
    shape = (3, *image.pixels.shape[:-1])
    maps = np.random.default_rng(0).random(shape, np.float32)
    path = write_maps(tmp_path / "probabilities", maps, like=image)
    assert path.name == "probabilities.nii.gz"
    np.testing.assert_array_equal(read_maps(path), maps)


def test_other_files(tmp_path: Path) -> None:
    assert find_maps(tmp_path / "probabilities") is None
    np.save(tmp_path / "a.npy", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match="accepted are maps of floats"):
        read_maps(tmp_path / "a.npy")
