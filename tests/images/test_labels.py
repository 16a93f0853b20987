from __future__ import annotations

from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from segmint.errors import InputError, OutputError
from segmint.images import OUTSIDE, OUTSIDE_COLOR, Image, palette, read_labels, write_labels

MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def label_arrays(draw: st.DrawFn) -> np.ndarray:
    dtype = np.dtype(draw(st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "int64"])))
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=3, max_side=7))
    high = min(int(np.iinfo(dtype).max), draw(st.sampled_from([3, 254, 255, 65535, 2**31 - 1])))
    low = OUTSIDE if dtype.kind == "i" else 0
    return draw(arrays.arrays(dtype, shape, elements=st.integers(low, high)))


@MANY
@given(label_arrays())
def test_round_trip(tmp_path: Path, labels: np.ndarray) -> None:
    path = write_labels(tmp_path / "a", labels)
    found = read_labels(path)
    assert found.dtype == np.int32
    # A stack of one slice comes back as its slice.
    np.testing.assert_array_equal(found.reshape(labels.shape), labels)
    path.unlink()


@pytest.mark.parametrize(
    ("high", "name", "mode"),
    [
        (0, "a.b.png", "P"),
        (254, "a.b.png", "P"),
        (255, "a.b.png", "I;16"),
        (65534, "a.b.png", "I;16"),
    ],
)
def test_pictures_hold_the_ids(tmp_path: Path, high: int, name: str, mode: str) -> None:
    labels = np.array([[high, 0], [OUTSIDE, high // 2]])
    path = write_labels(tmp_path / "a.b", labels)
    assert path.name == name
    with Pillow.open(path) as picture:
        assert picture.mode == mode
        values = np.asarray(picture)
        reserved = 255 if mode == "P" else 65535
        np.testing.assert_array_equal(values, np.where(labels == OUTSIDE, reserved, labels))
        if mode == "P":
            color = np.asarray(picture.convert("RGB"))
            np.testing.assert_array_equal(color[0, 0], palette()[high])
            np.testing.assert_array_equal(color[1, 0], OUTSIDE_COLOR)


@pytest.mark.parametrize(("high", "dtype"), [(254, "uint8"), (255, "uint16"), (65535, "uint32")])
def test_stacks_are_tiff(tmp_path: Path, high: int, dtype: str) -> None:
    labels = np.array([[[0, OUTSIDE]], [[high, 1]]])
    path = write_labels(tmp_path / "a", labels)
    stored = tifffile.imread(path)
    assert path.suffix == ".tif" and stored.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stored[1], labels[1])
    assert stored[0, 0, 1] == np.iinfo(dtype).max


def test_ids_beyond_16_bits(tmp_path: Path) -> None:
    path = write_labels(tmp_path / "a", np.array([[65535, 2**31 - 1]]))
    np.testing.assert_array_equal(tifffile.imread(path), [[65535, 2**31 - 1]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 2)), "labels are float64"),
        (np.zeros((2, 2), bool), "labels are bool"),
        (np.zeros(4, int), r"shape \(4,\)"),
        (np.array([[-2, 0]]), "go from -2 to 0"),
        (np.array([[0, 2**31]]), "go from 0 to 2147483648"),
    ],
)
def test_unusable_labels(tmp_path: Path, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_labels(tmp_path / "a", labels)
    assert list(tmp_path.iterdir()) == []


def test_labels_of_another_image(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((3, 4)))
    with pytest.raises(InputError, match=r"\(4, 3\) and the image \(3, 4\)"):
        write_labels(tmp_path / "a", np.zeros((4, 3), int), like=image)


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_labels(tmp_path / "file" / "a", np.zeros((2, 2), int))


def test_files_that_hold_no_labels(tmp_path: Path) -> None:
    Pillow.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match="holds 3 channels of uint8"):
        read_labels(tmp_path / "photo.png")
    with pytest.raises(InputError, match="does not exist"):
        read_labels(tmp_path / "none.png")
    path = write_labels(tmp_path / "a", np.zeros((9, 9), int))
    with pytest.raises(InputError, match="--max-pixels"):
        read_labels(path, max_pixels=80)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged"):
        read_labels(path)
