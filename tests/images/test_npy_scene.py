"""NumPy scenes. Reference: the array that was saved, and what read_image gives."""

from __future__ import annotations

import io
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import Window, can_stream, open_scene, read_image
from segmint.images.npy_scene import NpyScene

DTYPES = ["|u1", "<u2", ">u2", "<i4", ">i8", "<f2", ">f4", "<f8", "<f16"]


@given(
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    dtype=st.sampled_from(DTYPES),
    order=st.sampled_from("CF"),
    pages=st.sampled_from(["auto", "stack", "first", "channels"]),
    data=st.data(),
)
def test_windows_are_those_of_the_reader(
    tmp_path_factory: pytest.TempPathFactory,
    shape: list[int],
    dtype: str,
    order: str,
    pages: str,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.npy"
    numbers = np.random.default_rng(sum(shape)).integers(0, 100, shape)
    np.save(path, np.asarray(numbers.astype(dtype), order=order))
    image = read_image(path, pages=pages)
    top, left = (data.draw(st.integers(0, n - 1)) for n in (image.height, image.width))
    bottom = data.draw(st.integers(top + 1, image.height))
    right = data.draw(st.integers(left + 1, image.width))
    with open_scene(path, pages=pages) as scene:
        assert isinstance(scene, NpyScene)
        assert scene.shape == image.pixels.shape[:-1]
        assert scene.notes == image.notes
        plane = data.draw(st.integers(0, scene.planes - 1))
        pixels = image.pixels if scene.depth is None else image.pixels[plane]
        window = Window(top=top, bottom=bottom, left=left, right=right)
        np.testing.assert_array_equal(scene.read(window, plane), pixels[window.slices], strict=True)
        assert scene.dtype == pixels.dtype


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_file_that_was_cut_short(tmp_path: Path, order: str) -> None:
    array = np.arange(1, 1 + 20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3)
    path = tmp_path / "a.npy"
    np.save(path, np.asarray(array, order=order))
    path.write_bytes(path.read_bytes()[:-101])
    with pytest.raises(InputError, match="was cut short, accepted are the 3728 bytes"):
        open_scene(path)
    window = Window(top=3, bottom=20, left=2, right=30)
    with open_scene(path, skip_bad=True) as scene:
        pixels, bad = scene.read(window), scene.unreadable(window)
    stored = array.reshape(-1, order=order) if order == "C" else array.ravel(order="F")
    gone = np.isin(array, stored[-51:]).any(axis=-1)[window.slices]
    assert bad is not None
    np.testing.assert_array_equal(bad, gone)
    np.testing.assert_array_equal(pixels, np.where(gone[..., np.newaxis], 0, array[window.slices]))


def test_nothing_is_unpickled_and_channels_first_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([[object()]]), allow_pickle=True)
    with pytest.raises(InputError, match="pickled objects"):
        open_scene(path)
    np.save(path, np.zeros((3, 40, 40)))
    with pytest.raises(InputError, match=r"a\.npy: array of shape \(3, 40, 40\) has its channels"):
        open_scene(path)
    for array in (np.zeros((2, 2), bool), np.zeros((0, 4)), np.zeros((2, 2), "c8"), np.zeros(3)):
        np.save(path, array)
        with pytest.raises(InputError, match=r"a\.npy"):
            open_scene(path)


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("dtype", ["|u1", "<f16"])
def test_a_size_that_is_a_lie_takes_no_memory(tmp_path: Path, dtype: str, skip_bad: bool) -> None:
    buffer = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(buffer, header)
    (tmp_path / "a.npy").write_bytes(buffer.getvalue() + bytes(320))
    if not skip_bad:
        with pytest.raises(InputError, match="was cut short"):
            open_scene(tmp_path / "a.npy")
        return
    with open_scene(tmp_path / "a.npy", skip_bad=True) as scene:
        window = Window(top=0, bottom=4, left=0, right=400)
        scene.read(window)
        bad = scene.unreadable(window)
        assert bad is not None
        assert (~bad).sum() == 320 // np.dtype(dtype).itemsize


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(
    ("shape", "is_lie"),
    [
        ((True, 6), True),
        ((-4, 6), True),
        ((-4, -6), True),
        ((1,) * 70, True),
        ((10**30, 6), False),
        ((2**62, 6), False),
    ],
    ids=str,
)
def test_shapes_that_no_array_has(
    tmp_path: Path, shape: tuple[int, ...], is_lie: bool, skip_bad: bool
) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(100))
    with pytest.raises(InputError) as expected:
        read_image(path)
    with pytest.raises(InputError, match=r"a\.npy is a damaged, cut short or unusual") as found:
        open_scene(path, skip_bad=skip_bad)
    # A reader of whole images names the limit of its pixels first, which scenes do not have.
    assert str(found.value) == str(expected.value) or not is_lie


def test_a_large_file_is_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 15, 1 << 15)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + (1 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert can_stream(path)
    with open_scene(path) as scene:
        for top in range(0, 1 << 15, 1 << 12):
            window = Window(top=top, bottom=top + 256, left=100, right=300)
            assert not scene.read(window).any()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
