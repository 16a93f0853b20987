"""Several files as the channels of one image. Reference: each file read alone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.errors import InputError, UsageError
from segmint.images import Image, channels, read_image
from segmint.images.channels import channel_names, read_channels

AFFINE = np.array([[-0.8, 0, 0, 12], [0, 0.9, 0, -7], [0, 0, 5, 3], [0, 0, 0, 1.0]])
MODALITIES = ("DE", "T2", "C0")


def values(*shape: int, dtype: str = "int16", seed: int = 0) -> npt.NDArray[Any]:
    return np.random.default_rng(seed).integers(0, 120, shape).astype(dtype)


def save_nifti(path: Path, array: npt.NDArray[Any], affine: npt.NDArray[Any] = AFFINE) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def save_array(path: Path, array: npt.NDArray[Any]) -> Path:
    np.save(path, array)
    return path


@pytest.fixture
def scan(tmp_path: Path) -> list[Path]:
    return [
        save_nifti(tmp_path / f"myops_training_101_{name}.nii.gz", values(5, 6, 4, seed=seed))
        for seed, name in enumerate(MODALITIES)
    ]


def test_modalities_of_a_scan(scan: list[Path]) -> None:
    image = read_channels(scan)
    alone = [read_image(path) for path in scan]
    assert image.pixels.dtype == np.int16
    for index, part in enumerate(alone):
        np.testing.assert_array_equal(image.pixels[..., index], part.pixels[..., 0])
    assert image.channel_names == MODALITIES
    assert image.source == scan[0]
    assert image.affine is not None
    np.testing.assert_allclose(image.affine, AFFINE)
    assert (image.spacing, image.volume_shape) == (alone[0].spacing, (5, 6, 4))
    assert image.notes == (*alone[0].notes, "3 files read as the channels DE, T2, C0")
    turned = read_channels(scan[::-1])
    np.testing.assert_array_equal(turned.pixels, image.pixels[..., ::-1])


def test_one_file_is_the_image_it_holds(scan: list[Path]) -> None:
    image, alone = read_channels(scan[:1]), read_image(scan[0])
    np.testing.assert_array_equal(image.pixels, alone.pixels)
    assert (image.channel_names, image.notes) == ((), alone.notes)
    assert read_channels(str(scan[0])).source == scan[0]


KINDS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"]


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 3)), min_size=2, max_size=4))
def test_every_value_and_its_place_is_kept(parts: list[tuple[str, int]]) -> None:
    arrays = [values(4, 5, n, dtype=kind, seed=i) for i, (kind, n) in enumerate(parts)]
    with TemporaryDirectory() as folder:
        paths = [save_array(Path(folder) / f"{i}.npy", array) for i, array in enumerate(arrays)]
        image = read_channels(paths)
    np.testing.assert_array_equal(image.pixels, np.concatenate(arrays, axis=-1))
    assert image.pixels.dtype == np.result_type(*(kind for kind, _ in parts))
    assert len(set(image.channel_names)) == image.channels
    integers = all(kind != "float32" for kind, _ in parts)
    assert (image.pixels.dtype.kind != "f") == integers


def test_integers_stay_integers_where_numpy_would_not_keep_them(tmp_path: Path) -> None:
    signed = save_array(tmp_path / "a.npy", np.full((3, 4), -7, np.int64))
    large = save_array(tmp_path / "b.npy", np.full((3, 4), 2**60 + 1, np.uint64))
    image = read_channels([signed, large])
    assert image.pixels.dtype == np.int64
    assert image.pixels[0, 0].tolist() == [-7, 2**60 + 1]


@pytest.mark.parametrize(
    ("files", "counts", "expected"),
    [
        (["x_DE_crop.png", "x_T2_crop.png"], [1, 1], ("DE", "T2")),
        (["p1-T1w.nii.gz", "p1-T2w.nii"], [1, 1], ("T1w", "T2w")),
        (["imageA.png", "imageB.png"], [1, 1], ("imageA", "imageB")),
        (["image.png", "image_2.png"], [1, 1], ("image", "image_2")),
        (["a_1.png", "a_1_b.png"], [1, 1], ("1", "1_b")),
        (["a_.png", "a_b.png"], [1, 1], ("a_", "a_b")),
        (["T1/101.nii.gz", "T2/101.nii.gz"], [1, 1], ("T1", "T2")),
        (["s_he.png", "s_dapi.tif"], [3, 1], ("he_0", "he_1", "he_2", "dapi")),
        (["photo_1.png"], [3], ("photo_1_0", "photo_1_1", "photo_1_2")),
        (["a.png", "a_0.png"], [2, 1], ("0", "1", "2")),
    ],
)
def test_names(files: list[str], counts: list[int], expected: tuple[str, ...]) -> None:
    assert channel_names([Path(file) for file in files], counts) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab_-. 1", min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
def test_names_are_never_empty_and_never_shared(stems: list[str]) -> None:
    names = channel_names([Path(f"x{stem}.png") for stem in stems], [1] * len(stems))
    assert all(names)
    assert len(set(names)) == len(stems)


def test_sizes_must_agree(tmp_path: Path) -> None:
    paths = [
        save_array(tmp_path / "a.npy", values(4, 5)),
        save_array(tmp_path / "b.npy", values(4, 6)),
    ]
    with pytest.raises(InputError) as error:
        read_channels(paths)
    message = str(error.value)
    assert all(part in message for part in ("a.npy is 4 x 5", "b.npy is 4 x 6", "resample"))


def test_a_stack_and_a_plain_image(tmp_path: Path) -> None:
    paths = [
        save_array(tmp_path / "a.npy", values(4, 5)),
        save_nifti(tmp_path / "b.nii", values(4, 5, 3)),
    ]
    with pytest.raises(InputError, match=r"stack of 3 slices of 4 x 5.*--pages first"):
        read_channels(paths)
    image = read_channels(paths, pages="first")
    assert image.pixels.shape == (4, 5, 2)
    assert image.volume_shape == (4, 5, 1)


def test_volumes_that_lie_apart(tmp_path: Path) -> None:
    first = save_nifti(tmp_path / "a.nii", values(5, 6, 4))
    moved = AFFINE.copy()
    moved[:3, 3] += (0, 3.0, 4.0)
    second = save_nifti(tmp_path / "b.nii", values(5, 6, 4), moved)
    with pytest.raises(InputError) as error:
        read_channels([first, second])
    message = str(error.value)
    assert all(part in message for part in ("a.nii", "b.nii", "5 mm apart", "resample"))


@pytest.mark.parametrize(("step", "accepted"), [(0.01, True), (0.05, False)])
def test_another_voxel_size_counts_at_the_far_corner(
    tmp_path: Path, step: float, accepted: bool
) -> None:
    """Rows 0.8 mm apart: four steps of 0.05 mm more move the last one by 0.2 mm."""
    stretched = AFFINE.copy()
    stretched[0, 0] -= step
    paths = [
        save_nifti(tmp_path / "a.nii", values(5, 6, 4)),
        save_nifti(tmp_path / "b.nii", values(5, 6, 4), stretched),
    ]
    if accepted:
        assert read_channels(paths).channels == 2
    else:
        with pytest.raises(InputError, match=r"up to 0\.2 mm apart"):
            read_channels(paths)


def test_nifti_with_a_picture(tmp_path: Path) -> None:
    Pillow.fromarray(values(5, 6, dtype="uint8")).save(tmp_path / "mark.png")
    scan = save_nifti(tmp_path / "scan.nii", values(5, 6))
    image = read_channels([tmp_path / "mark.png", scan])
    assert image.affine is not None
    assert image.volume_shape == (5, 6)
    assert image.spacing == pytest.approx((0.8, 0.9))
    assert image.source == tmp_path / "mark.png"
    assert any("mark.png taken to lie on the grid of scan.nii" in note for note in image.notes)


def test_a_file_twice(scan: list[Path]) -> None:
    same = scan[0].parent / "." / scan[0].name
    with pytest.raises(InputError, match="given twice"):
        read_channels([*scan, same])


def test_no_file() -> None:
    with pytest.raises(InputError, match="no file"):
        read_channels([])


def test_a_prepared_file(scan: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = Image(pixels=values(5, 6, 3), region=np.ones((5, 6), np.bool_))
    monkeypatch.setattr(channels, "read_image", lambda *_, **__: prepared)
    with pytest.raises(InputError, match="prepared image"):
        read_channels(scan[:1])


def test_limits_and_options_are_those_of_reading(scan: list[Path]) -> None:
    with pytest.raises(UsageError, match="pages"):
        read_channels(scan, pages="none")
    paths = [save_array(scan[0].parent / f"{i}.npy", values(4, 5, 3)) for i in range(3)]
    assert read_channels(paths, max_pixels=60).channels == 9
    with pytest.raises(InputError, match="9 channels and counts 60 pixels"):
        read_channels(paths, max_pixels=59)
