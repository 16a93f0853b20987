"""Prepared files. Reference: what was written, and NumPy's own reading."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import Image, collect_images, read_image, read_prepared, write_prepared
from segmint.images.prepared import FORMAT

MASK = np.array([[255, 0, 0], [1, 1, 255]], np.int32)


def crop(**changes: Any) -> Image:
    parts: dict[str, Any] = {
        "pixels": np.arange(12, dtype=np.float32).reshape(2, 3, 2) - 3,
        "region": MASK != 255,
        "mask": MASK,
        "spacing": (0.73, 0.8),
        "channel_names": ("LGE", "T2"),
        "class_names": ("blood pool", "Ödem"),
    }
    return Image(**{**parts, **changes})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "myops_101_03.npz"
    write_prepared(
        path,
        crop(),
        patient="101",
        slice_index=3,
        sources=("a_DE.nii.gz", "a_T2.nii.gz"),
        corner=(-4, 60),
        normalization="z-score",
    )
    return path


def rewritten(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The file with its arrays changed, and saved as NumPy saves."""
    with np.load(path, allow_pickle=False) as file:
        held = dict(file)
    change(held)
    other = path.with_name("changed.npz")
    np.savez_compressed(other, **held)
    return other


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_everything_comes_back(file: Path) -> None:
    image, written = read_prepared(file), crop()
    np.testing.assert_array_equal(image.pixels, written.pixels)
    assert (image.pixels.dtype, image.source) == (np.float32, file)
    assert image.region is not None and image.mask is not None
    np.testing.assert_array_equal(image.region, MASK != 255)
    np.testing.assert_array_equal(image.mask, MASK)
    assert (image.region.dtype, image.mask.dtype) == (np.bool_, np.int32)
    assert image.spacing == (0.73, 0.8)
    assert image.channel_names == ("LGE", "T2")
    assert image.class_names == ("blood pool", "Ödem")
    (note,) = image.notes
    assert "patient 101, slice 3, crop from row -4, column 60, normalization z-score" in note


def test_the_file_is_plain_numpy(file: Path) -> None:
    with np.load(file, allow_pickle=False) as held:
        assert held["format"] == FORMAT
        assert held["mask"].dtype == np.uint8
        assert held["sources"].tolist() == ["a_DE.nii.gz", "a_T2.nii.gz"]
        assert held["corner"].tolist() == [-4, 60]
        assert (held["patient"], held["slice"]) == ("101", 3)


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_prepared(tmp_path / name, crop())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@given(
    pixels=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=5), max_size=4
    ),
)
def test_any_crop_comes_back(
    tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.npz"
    shape = pixels.shape[:2]
    mask = np.full(shape, 255, np.int32)
    mask.flat[: len(names)] = range(min(len(names), mask.size))
    image = crop(
        pixels=pixels,
        region=mask != 255,
        mask=mask,
        channel_names=("c",) * pixels.shape[2],
        class_names=tuple(names),
    )
    write_prepared(path, image)
    again = read_prepared(path)
    np.testing.assert_array_equal(again.pixels, pixels)
    np.testing.assert_array_equal(again.mask, mask)  # type: ignore[arg-type]
    assert again.class_names == tuple(names)


def test_it_is_known_by_its_content_and_collected_by_its_suffix(file: Path) -> None:
    assert collect_images([file.parent]) == [file]
    other = file.rename(file.with_suffix(".png"))
    assert read_image(other).channel_names == ("LGE", "T2")


def test_another_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", leaves=np.zeros(3))
    assert "no prepared image" in refused(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no prepared image" in refused(tmp_path / "b.npz")


def test_another_version(file: Path) -> None:
    other = rewritten(file, lambda held: held.update(format=np.array("segmint prepared 2")))
    assert "'segmint prepared 2', accepted is 'segmint prepared 1'" in refused(other)


@pytest.mark.parametrize("key", ["image", "mask", "normalization"])
def test_a_missing_part(file: Path, key: str) -> None:
    assert f"lacks {key}, " in refused(rewritten(file, lambda held: held.pop(key)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("image", np.zeros((2, 3, 2))),
        ("image", np.zeros((2, 3), np.float32)),
        ("image", np.zeros((0, 3, 2), np.float32)),
        ("region", np.ones((2, 2), bool)),
        ("region", np.ones((2, 3), np.uint8)),
        ("mask", MASK),
        ("mask", MASK.astype(np.uint8)[..., np.newaxis]),
        ("spacing", np.ones(3)),
        ("channels", np.array(["LGE"])),
        ("channels", np.array([1, 2])),
        ("patient", np.array(["101"])),
        ("corner", np.zeros(2)),
    ],
)
def test_a_part_of_another_type_or_shape(file: Path, key: str, value: np.ndarray) -> None:
    message = refused(rewritten(file, lambda held: held.update({key: value})))
    assert f"holds {key} as {value.dtype} of shape {value.shape}, accepted is" in message


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("image", np.full((2, 3, 2), np.nan, np.float32), "12 values that are NaN or infinite"),
        ("mask", np.full((2, 3), 7, np.uint8), "6 mask values such as 7"),
        ("mask", np.zeros((2, 3), np.uint8), "2 mask values such as 0"),
        ("spacing", np.array([0.0, 1.0]), r"spacing (0.0, 1.0)"),
        ("classes", np.array(["x"] * 256), "256 classes"),
        ("classes", np.array(["x" * 300_000]), "bytes of text in classes"),
    ],
)
def test_a_part_that_makes_no_sense(file: Path, key: str, value: np.ndarray, words: str) -> None:
    assert words in refused(rewritten(file, lambda held: held.update({key: value})))


class Trap:
    """Raises when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("key", ["image", "classes", "format"])
def test_pickled_objects_are_never_loaded(file: Path, key: str) -> None:
    other = rewritten(file, lambda held: held.update({key: np.array([Trap()])}))
    assert f"holds pickled objects in {key}, which could run code" in refused(other)


def test_a_pickle_for_an_array(file: Path) -> None:
    with np.load(file) as held:
        names = held.files
    with zipfile.ZipFile(file.with_name("b.npz"), "w") as archive:
        archive.writestr("format.npy", as_npy(np.array(FORMAT)))
        for name in names[1:]:
            archive.writestr(f"{name}.npy", pickle.dumps(Trap()))
    assert "damaged" in refused(file.with_name("b.npz"))


def as_npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_a_bomb_is_refused_by_its_header(file: Path) -> None:
    assert "accepted are at most 5" in refused(file, max_pixels=5)
    header = io.BytesIO()
    shape = (100_000, 100_000, 2)
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    replaced(file, "image.npy", header.getvalue() + bytes(1000))
    assert "counts 10000000000 pixels" in refused(file)


def test_a_header_that_promises_more_than_there_is(file: Path) -> None:
    data = as_npy(np.zeros((2, 3), np.uint8))
    for wrong in (data[:-2], data + b"0"):
        replaced(file, "mask.npy", wrong)
        assert "damaged" in refused(file)


def test_a_long_header_is_not_read(file: Path) -> None:
    header = b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b" " * 1000
    replaced(file, "mask.npy", header)
    assert "damaged" in refused(file)


def replaced(path: Path, name: str, data: bytes) -> None:
    """The same archive with other bytes in one member."""
    with zipfile.ZipFile(path) as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, old in held.items():
            archive.writestr(each, data if each == name else old)


def test_any_damage_is_one_sentence(file: Path) -> None:
    data = file.read_bytes()
    for length in range(8, len(data), 97):
        file.write_bytes(data[:length])
        assert "damaged" in refused(file)
    random = np.random.default_rng(0)
    for place in random.integers(0, len(data), 150).tolist():
        file.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            read_image(file)
        except InputError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": None}, "without a region and a mask"),
        ({"mask": None}, "without a region and a mask"),
        ({"pixels": np.zeros((1, 2, 3, 2))}, "or with slices"),
        ({"region": np.ones((3, 2), bool)}, "do not fit"),
        ({"channel_names": ("LGE",)}, "1 channel names"),
        ({"spacing": (1.0, 1.0, 1.0)}, "do not fit"),
        ({"spacing": (1.0, -1.0)}, "accepted are millimeters above 0"),
        ({"mask": np.full((2, 3), 300)}, "6 mask values such as 300"),
        ({"pixels": np.full((2, 3, 2), np.inf)}, "12 values that are NaN or infinite"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_prepared(tmp_path / "a.npz", crop(**changes))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["classes", "channels", "patient", "sources"])
@pytest.mark.parametrize("point", [0x110000, 0xD800, 0xDFFF, 2**32 - 1])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_no_character(file: Path, key: str, point: int, order: str) -> None:
    def change(held: dict[str, Any]) -> None:
        points = np.full(held[key].shape or (1,), point, f"{order}u4")
        held[key] = points.view(f"{order}U1").reshape(held[key].shape)

    assert "is a damaged" in refused(rewritten(file, change))


@pytest.mark.parametrize("name", ["a\nb", "\x1b[1m", "\x7f", "\u2029"])
@pytest.mark.parametrize("key", ["class", "channel"])
def test_names_with_control_characters(file: Path, key: str, name: str) -> None:
    def change(held: dict[str, Any]) -> None:
        names = "classes" if key == "class" else "channels"
        held[names] = np.array([name, "b"])

    assert f"the {key} name {name!r}" in refused(rewritten(file, change))
    with pytest.raises(InputError, match="control characters"):
        write_prepared(file, crop(**{f"{key}_names": (name, "b")}))
