"""What every format shares: content decides, bad files give one clear sentence."""

from __future__ import annotations

import io
import pickle
import random
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from segmint.errors import InputError, UsageError
from segmint.images import Image, read_image

PIXELS = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
FORMATS = ["png", "jpg", "bmp", "webp", "tif", "nii", "nii.gz", "npy"]


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"image.{suffix}"
    if suffix == "tif":
        tifffile.imwrite(path, PIXELS, compression="zlib")
    elif suffix.startswith("nii"):
        nibabel.save(nibabel.Nifti1Image(PIXELS, np.eye(4)), path)
    elif suffix == "npy":
        np.save(path, PIXELS)
    else:
        Pillow.fromarray(PIXELS).save(path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    message = str(caught.value)
    assert str(path) in message
    assert "accepted" in message
    assert ". " not in message and "\n" not in message and not message.endswith(".")
    return message


@pytest.mark.parametrize("suffix", FORMATS)
def test_content_decides_the_format(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    misnamed = tmp_path / "misnamed.xyz"
    shutil.copy(path, misnamed)
    np.testing.assert_array_equal(read_image(misnamed).pixels, read_image(path).pixels)


@pytest.mark.parametrize("suffix", FORMATS)
def test_cut_files_are_refused_or_whole(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    expected = read_image(path).pixels
    whole = path.read_bytes()
    lengths = {*range(1, len(whole), max(1, len(whole) // 50)), len(whole) // 2}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        if length <= 0.9 * len(whole):
            refused(path)
            continue
        try:
            pixels = read_image(path).pixels
        except InputError:
            continue
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_never_escapes_as_another_error(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    chance = random.Random(4)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            assert isinstance(read_image(path, max_pixels=100_000), Image)
        except InputError as error:
            assert "\n" not in str(error)


def test_text_named_as_an_image(tmp_path: Path) -> None:
    (tmp_path / "note.png").write_text("hello")
    assert "is not an image but text" in refused(tmp_path / "note.png")


def test_empty_missing_and_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert "0 bytes" in refused(tmp_path / "empty.png")
    assert "did you mean 'empty.png'?" in refused(tmp_path / "empt.png")
    assert "is a folder" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "no" / "such.png")


def test_unknown_bytes_and_other_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bytes(range(256)) * 4)
    assert "no known image format" in refused(tmp_path / "a.png")
    (tmp_path / "a.nii.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    assert "without a readable NIfTI" in refused(tmp_path / "a.nii.gz")


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'stack'"):
        read_image(tmp_path, pages="stak")
    with pytest.raises(UsageError, match="--max-pixels is 0"):
        read_image(tmp_path, max_pixels=0)


class TestNumpy:
    @pytest.mark.parametrize("dtype", ["uint8", ">u2", "int32", "float32", ">f8"])
    def test_types(self, tmp_path: Path, dtype: str) -> None:
        np.save(tmp_path / "a.npy", PIXELS.astype(dtype))
        image = read_image(tmp_path / "a.npy")
        assert image.pixels.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(image.pixels, PIXELS)

    @pytest.mark.parametrize(
        ("shape", "pages", "expected"),
        [
            ((4, 5), "auto", (4, 5, 1)),
            ((4, 5, 6), "auto", (4, 5, 6)),
            ((4, 5, 6), "stack", (4, 5, 6, 1)),
            ((4, 5, 6, 2), "auto", (4, 5, 6, 2)),
            ((4, 5, 6, 2), "first", (5, 6, 2)),
        ],
    )
    def test_axes(
        self, tmp_path: Path, shape: tuple[int, ...], pages: str, expected: tuple[int, ...]
    ) -> None:
        np.save(tmp_path / "a.npy", np.zeros(shape))
        assert read_image(tmp_path / "a.npy", pages=pages).pixels.shape == expected

    def test_nothing_is_unpickled(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.array([[object()]]), allow_pickle=True)
        assert "holds pickled objects" in refused(tmp_path / "a.npy")
        (tmp_path / "b.npy").write_bytes(pickle.dumps(PIXELS))
        assert "holds pickled objects" in refused(tmp_path / "b.npy")

    def test_unusable_arrays(self, tmp_path: Path) -> None:
        for array in (
            np.zeros((2, 2), bool),
            np.zeros((0, 4)),
            np.zeros(5),
            np.zeros((2, 2), "c8"),
        ):
            np.save(tmp_path / "a.npy", array)
            with pytest.raises(InputError, match=r"a\.npy"):
                read_image(tmp_path / "a.npy")

    def test_the_header_is_checked_first(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(buffer, header)
        (tmp_path / "a.npy").write_bytes(buffer.getvalue())
        with pytest.raises(InputError, match="1000000000000 pixels"):
            read_image(tmp_path / "a.npy")
