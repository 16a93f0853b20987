"""Where networks disagree, as a result keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image as Pillow

from segmint.images import Image, read_image
from segmint.methods.method import OF_THE_DATA_SET, Outcome
from segmint.methods.segment import segmentation_of
from segmint.methods.segmentation import Segmentation

FILES = {"labels.png", "overlay.png", "components.csv", "result.json"}


def found(bits: npt.NDArray[np.float32], *, written: bool = True) -> Segmentation:
    """A segmentation of two classes in halves with this uncertainty."""
    labels = np.zeros(bits.shape, np.int32)
    labels[..., bits.shape[-1] // 2 :] = 1
    asked: list[int] = []

    def compute() -> npt.NDArray[np.float32]:
        asked.append(1)
        assert len(asked) == 1
        return bits

    outcome = Outcome(labels=labels, uncertainty=compute, order=OF_THE_DATA_SET)
    made = segmentation_of(outcome, method="run", options={}, seed=0, seconds=0.0)
    return replace(made, uncertainty_map=written)


def bits_of(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(3).random(shape, np.float32)


def test_one_network_disagrees_with_none() -> None:
    outcome = Outcome(labels=np.zeros((2, 2), np.int32))
    alone = segmentation_of(outcome, method="run", options={}, seed=0, seconds=0.0)
    assert alone.uncertainty is None


def test_it_is_computed_once_and_when_it_is_asked_for(tmp_path: Path) -> None:
    bits = bits_of(20, 30)
    result = found(bits)
    assert result.uncertainty is result.uncertainty is bits
    folder = result.save(tmp_path / "a", np.zeros((20, 30), np.uint8))
    np.testing.assert_array_equal(tifffile.imread(folder / "uncertainty.tif"), bits)


def test_its_files_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    bits = bits_of(20, 30)
    folder = found(bits).save(tmp_path, picture)
    written = {file.name for file in folder.iterdir()}
    assert written == FILES | {"uncertainty.tif", "uncertainty.png"}
    with tifffile.TiffFile(folder / "uncertainty.tif") as file:
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["Labels"] == "mutual information in bits"
    found(bits, written=False).save(tmp_path, picture)
    assert {file.name for file in folder.iterdir()} == FILES


def test_without_an_image_there_is_a_map_and_no_picture(tmp_path: Path) -> None:
    folder = found(bits_of(20, 30)).save(tmp_path)
    assert (folder / "uncertainty.tif").is_file()
    assert not (folder / "uncertainty.png").exists()


def test_of_a_volume_the_slice_of_the_overlay_is_shown_upright(tmp_path: Path) -> None:
    # Rows run to the left and columns to the back: the picture has them the other way round.
    affine = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
    volume = np.zeros((24, 40, 3), np.int16)
    volume[:, :20] = 100
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "scan.nii.gz")  # type: ignore[no-untyped-call]
    image: Image = read_image(tmp_path / "scan.nii.gz")
    bits = np.zeros(image.pixels.shape[:-1], np.float32)
    bits[1] = 1.0
    folder = found(bits).save(tmp_path / "result", image)
    assert (folder / "uncertainty.nii.gz").is_file()
    overlay = np.asarray(Pillow.open(folder / "overlay.png"))
    shown = np.asarray(Pillow.open(folder / "uncertainty.png"))
    lightest = (shown == np.array([253, 231, 36], np.uint8)).all(axis=-1)
    rows, columns = lightest.any(axis=1), lightest.any(axis=0)
    assert lightest.sum() > 300**2
    upright = rows.sum() > columns.sum()
    assert upright == (overlay.shape[0] > overlay.shape[1])
