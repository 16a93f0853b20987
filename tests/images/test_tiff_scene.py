"""TIFF scenes. References: the array that tifffile was given, and what read_image gives."""

from __future__ import annotations

import io
import math
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.images import Window, blocks, can_stream, open_scene, read_image
from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.images.tiff_scene import TiffScene

NOISE = np.random.default_rng(7).integers(0, 256, (6, 70, 90, 4), dtype=np.uint8)


def whole(scene: Scene, block: tuple[int, int]) -> npt.NDArray[Any]:
    """All pixels, read by windows of a size."""
    pixels = np.zeros((scene.planes, *scene.size, scene.channels), scene.dtype)
    for plane in range(scene.planes):
        for window in blocks(*scene.size, block):
            part = scene.read(window, plane)
            assert part.shape == (*window.size, scene.channels)
            assert part.dtype == scene.dtype
            pixels[(plane, *window.slices)] = part
    return pixels[0] if scene.depth is None else pixels


def written(folder: Path, array: npt.NDArray[Any], **options: Any) -> Path:
    path = folder / "image.tif"
    tifffile.imwrite(path, array, **options)
    return path


def check_same(path: Path, block: tuple[int, int], pages: str = "auto") -> Scene:
    image = read_image(path, pages=pages)
    with open_scene(path, pages=pages) as scene:
        assert scene.shape == image.pixels.shape[:-1]
        np.testing.assert_array_equal(whole(scene, block), image.pixels, strict=True)
    return scene


KINDS: dict[str, dict[str, Any]] = {
    "grey": {"photometric": "minisblack", "samples": 1},
    "white is zero": {"photometric": "miniswhite", "samples": 1},
    "palette": {"photometric": "palette", "samples": 1},
    "rgb": {"photometric": "rgb", "samples": 3},
    "rgb apart": {"photometric": "rgb", "samples": 3, "planarconfig": "separate"},
    "rgba": {"photometric": "rgb", "samples": 4, "extrasamples": ["unassalpha"]},
    "multiplied": {"photometric": "rgb", "samples": 4, "extrasamples": ["assocalpha"]},
    "four": {"photometric": "minisblack", "samples": 4, "planarconfig": "contig"},
    "inks": {"photometric": "separated", "samples": 4},
}
PLACES: list[dict[str, Any]] = [
    {},
    {"rowsperstrip": 7},
    {"rowsperstrip": 1},
    {"tile": (16, 32)},
    {"tile": (64, 16)},
]
DTYPES = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"]


@st.composite
def files(draw: st.DrawFn) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    options = {key: value for key, value in KINDS[kind].items() if key != "samples"}
    colored = kind in ("palette", "inks", "white is zero")
    dtype = draw(st.sampled_from(["uint8", "uint16"] if colored else DTYPES))
    dtype = "uint8" if kind == "palette" else dtype
    count = draw(st.sampled_from([1, 1, 2, 3, 5]))
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 90))
    array = NOISE[:count, :height, :width, : KINDS[kind]["samples"]].astype(dtype)
    if dtype == "uint16":
        array = array * np.uint16(257)
    options |= draw(st.sampled_from(PLACES))
    options["compression"] = draw(st.sampled_from([None, "zlib", "lzw", "zstd", "packbits"]))
    if options["compression"] in ("zlib", "lzw", "zstd") and dtype not in ("float64", "float16"):
        options["predictor"] = draw(st.booleans())
    options["bigtiff"], options["byteorder"] = draw(st.booleans()), draw(st.sampled_from("<>"))
    if kind == "palette":
        options["colormap"] = np.arange(768, dtype=np.uint16).reshape(3, 256) * 85
    array = np.moveaxis(array, -1, 1) if options.get("planarconfig") == "separate" else array
    if options["photometric"] != "rgb" and kind not in ("four", "inks"):
        array = array[..., 0]
    return (array if count > 1 else array[0]), options


@settings(max_examples=150)
@given(file=files(), data=st.data())
def test_values_are_those_of_the_reader(
    tmp_path_factory: pytest.TempPathFactory,
    file: tuple[npt.NDArray[Any], dict[str, Any]],
    data: st.DataObject,
) -> None:
    array, options = file
    path = written(tmp_path_factory.getbasetemp(), array, **options)
    block = data.draw(st.tuples(st.integers(1, 80), st.integers(1, 100)))
    pages = data.draw(st.sampled_from(["auto", "auto", "channels", "stack", "first"]))
    check_same(path, (max(block[0], 5), max(block[1], 5)), pages)


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("place", [{"tile": (32, 32)}, {"rowsperstrip": 16}])
def test_jpeg_tiles(tmp_path: Path, place: dict[str, Any], subsampling: tuple[int, int]) -> None:
    rows, columns = np.mgrid[:70, :90]
    smooth = np.stack([rows * 3, columns * 2, rows + columns], axis=-1).astype(np.uint8)
    path = written(
        tmp_path, smooth, photometric="rgb", compression="jpeg", subsampling=subsampling, **place
    )
    assert isinstance(check_same(path, (33, 40)), TiffScene)
    path = written(tmp_path, smooth[..., 0], compression="jpeg", **place)
    assert isinstance(check_same(path, (33, 40)), TiffScene)


@pytest.mark.parametrize("compression", ["jpeg2000", "lzma"])
def test_other_compressions(tmp_path: Path, compression: str) -> None:
    path = written(
        tmp_path, NOISE[0, ..., :3], photometric="rgb", compression=compression, tile=(32, 32)
    )
    assert isinstance(check_same(path, (33, 40)), TiffScene)
    np.testing.assert_array_equal(read_image(path).pixels, NOISE[0, ..., :3])


def test_one_bit(tmp_path: Path) -> None:
    bits = NOISE[0, ..., 0] > 100
    for options in ({"tile": (16, 32)}, {"rowsperstrip": 8, "compression": "zlib"}):
        for photometric in ("minisblack", "miniswhite"):
            path = written(tmp_path, bits, photometric=photometric, **options)
            scene = check_same(path, (20, 23))
            assert scene.dtype == np.uint8
            assert scene.notes == ("1-bit picture read as 0 and 255",)


@pytest.mark.parametrize("pages", ["auto", "channels", "stack", "first"])
@pytest.mark.parametrize(
    ("kind", "axes", "shape", "options"),
    [
        ("ome", "ZCYX", (3, 2), {"compression": "zlib", "tile": (32, 32)}),
        ("ome", "CYX", (6,), {}),
        ("ome", "ZYX", (3,), {"compression": "zlib", "tile": (32, 32)}),
        ("ome", "TYX", (2,), {}),
        ("imagej", "ZCYX", (3, 2), {}),
        ("imagej", "TZYX", (2, 3), {}),
        ("", "QYX", (6,), {"compression": "zlib", "tile": (32, 32)}),
        ("", "QYX", (6,), {}),
        ("", "QYX", (3,), {"rowsperstrip": 7, "compression": "lzw"}),
    ],
)
def test_axes_and_pages(
    tmp_path: Path,
    pages: str,
    kind: str,
    axes: str,
    shape: tuple[int, ...],
    options: dict[str, Any],
) -> None:
    array = np.moveaxis(NOISE, -1, 1)[..., 0, :, :].astype(np.uint16) * 200
    array = array[: math.prod(shape)].reshape(*shape, 70, 90)
    named = {kind: True, "metadata": {"axes": axes}} if kind else {"photometric": "minisblack"}
    path = written(tmp_path, array, **named, **options)
    scene = check_same(path, (40, 50), pages)
    assert scene.notes == read_image(path, pages=pages).notes


def test_ome_color_and_smaller_copies(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.ome.tif"
    array = NOISE[0, :64, :80, :3]
    with tifffile.TiffWriter(path, ome=True) as writer:
        options: dict[str, Any] = {"photometric": "rgb", "tile": (16, 16), "compression": "zlib"}
        writer.write(array, subifds=2, metadata={"axes": "YXS"}, **options)
        writer.write(array[::2, ::2], subfiletype=1, **options)
        writer.write(array[::4, ::4], subfiletype=1, **options)
    scene = check_same(path, (33, 40))
    assert isinstance(scene, TiffScene)
    assert [level.size for level in scene.levels] == [(32, 40), (16, 20)]
    assert scene.block == (16, 16)
    with open_scene(path) as again:
        assert isinstance(again, TiffScene)
        np.testing.assert_array_equal(whole(again.levels[1], (9, 9)), array[::4, ::4])


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("options", [{}, {"tile": (32, 16), "compression": "zlib"}])
def test_orientation(tmp_path: Path, orientation: int, options: dict[str, Any]) -> None:
    path = written(
        tmp_path,
        NOISE[0, ..., :3],
        photometric="rgb",
        extratags=[(274, "H", 1, orientation, True)],
        **options,
    )
    scene = check_same(path, (23, 31))
    assert scene.notes == (f"orientation {orientation} applied",)
    if options:
        assert scene.block == ((16, 32) if orientation >= 5 else (32, 16))


def test_a_damaged_tile_of_a_turned_image_is_marked_where_it_is(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        NOISE[0, ..., 0] | 1,
        compression="zlib",
        tile=(32, 32),
        extratags=[(274, "H", 1, 6, True)],
    )
    spoil(path, 1)
    with open_scene(path, skip_bad=True) as scene:
        window = Window.whole(90, 70)
        pixels, bad = scene.read(window), scene.unreadable(window)
    assert bad is not None
    np.testing.assert_array_equal(bad, pixels[..., 0] == 0)
    expected = np.zeros((70, 90), np.bool_)
    expected[:32, 32:64] = True
    np.testing.assert_array_equal(bad, np.rot90(expected, -1))


def segments(path: Path) -> list[tuple[int, int]]:
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        return list(zip(page.dataoffsets, page.databytecounts, strict=True))


def spoil(path: Path, segment: int) -> None:
    """Fill a tile with bytes that no decoder takes."""
    offset, count = segments(path)[segment]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = b"\xaa" * count
    path.write_bytes(data)


COMPRESSED = ["zlib", "lzw", "zstd", "jpeg", "packbits", "lzma", "jpeg2000"]


@pytest.mark.parametrize("compression", COMPRESSED)
def test_a_damaged_tile_is_named_and_can_be_skipped(tmp_path: Path, compression: str) -> None:
    rows, columns = np.mgrid[:70, :90]
    array = (rows + columns + 1).astype(np.uint8)
    path = written(tmp_path, array, compression=compression, tile=(32, 32), predictor=False)
    expected = read_image(path).pixels
    data, (offset, count) = bytearray(path.read_bytes()), segments(path)[4]
    data[offset : offset + count] = b"\xaa" * 7 + bytes(count - 7)
    path.write_bytes(data)
    window, inside = Window(top=5, bottom=60, left=3, right=88), (slice(27, 55), slice(29, 61))
    with open_scene(path) as scene:
        good = Window(top=0, bottom=32, left=0, right=90)
        np.testing.assert_array_equal(scene.read(good), expected[:32])
        for _ in range(2):
            with pytest.raises(InputError) as caught:
                scene.read(window)
        message = str(caught.value)
        assert "page 1, tile 4 (rows 32 to 63, columns 32 to 63)" in message
        assert "--skip-bad" in message
        assert message.startswith(str(path))
        assert "\n" not in message
        assert scene.unreadable(good) is None
    with open_scene(path, skip_bad=True) as scene:
        assert scene.unreadable(window) is None
        pixels, bad = scene.read(window), scene.unreadable(window)
        assert bad is not None
        place = np.zeros(window.size, np.bool_)
        place[inside] = True
        np.testing.assert_array_equal(bad, place)
        np.testing.assert_array_equal(pixels[..., 0], np.where(place, 0, expected[5:60, 3:88, 0]))
        assert scene.unreadable(good) is None


def test_damage_counts_where_white_is_zero_and_in_single_planes(tmp_path: Path) -> None:
    path = written(
        tmp_path, NOISE[0, ..., 0], photometric="miniswhite", compression="zlib", tile=(32, 32)
    )
    spoil(path, 0)
    with open_scene(path, skip_bad=True) as scene:
        assert not scene.read(Window.whole(20, 20)).any()
    planes = np.moveaxis(NOISE[0, ..., :3], -1, 0)
    path = written(
        tmp_path,
        planes,
        photometric="rgb",
        planarconfig="separate",
        compression="zlib",
        tile=(32, 32),
    )
    spoil(path, 9 + 4)
    window = Window(top=30, bottom=34, left=30, right=34)
    with open_scene(path) as scene, pytest.raises(InputError, match=r"tile 13 \(rows 32 to 63"):
        scene.read(window)
    with open_scene(path, skip_bad=True) as scene:
        assert not scene.read(window)[2:, 2:].any()
        bad = scene.unreadable(window)
        assert bad is not None
        assert bad.sum() == 4


@pytest.mark.parametrize(
    "options",
    [
        {"tile": (16, 16), "compression": "zlib"},
        {"rowsperstrip": 8, "compression": "lzw"},
        {"rowsperstrip": 8},
        {"tile": (16, 16)},
        {},
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_short(tmp_path: Path, options: dict[str, Any], share: float) -> None:
    path = written(tmp_path, np.maximum(NOISE[0, ..., 0], 1), **options)
    expected, data = read_image(path).pixels, path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"page 1, (tile|strip) \d+ \(rows .* beyond the end"):
        open_scene(path)
    window = Window.whole(70, 90)
    with open_scene(path, skip_bad=True) as scene:
        assert "left out" in scene.notes[-1]
        pixels, bad = scene.read(window), scene.unreadable(window)
    assert bad is not None
    assert 0.2 * (1 - share) < bad.mean() < 1
    np.testing.assert_array_equal(pixels, np.where(bad[..., np.newaxis], 0, expected))


def test_a_missing_tile(tmp_path: Path) -> None:
    path = written(tmp_path, NOISE[0, ..., 0], tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = list(file.pages[0].tags["TileByteCounts"].value)
        counts[2] = 0
        file.pages[0].tags["TileByteCounts"].overwrite(counts)
    with pytest.raises(InputError, match=r"tile 2 \(rows 0 to 31, columns 64 to 89\) is missing"):
        open_scene(path)
    with open_scene(path, skip_bad=True) as scene:
        assert scene.notes == ("1 missing tiles or strips left out",)
        assert not scene.read(Window(top=0, bottom=32, left=64, right=90)).any()


@pytest.mark.parametrize("compression", ["zlib", "zstd", "lzma", "jpeg", "jpeg2000", "packbits"])
def test_a_tile_that_would_fill_the_memory(tmp_path: Path, compression: str) -> None:
    def bomb() -> Any:
        path = written(tmp_path, np.zeros((4096, 64), np.uint8), compression=compression)
        offset, count = segments(path)[0]
        return path.read_bytes()[offset : offset + count]

    data = bomb() if compression != "zlib" else zlib.compress(bytes(1 << 24))
    path = tmp_path / "bomb.tif"
    good = np.ones((32, 32), np.uint8)
    tifffile.imwrite(path, np.tile(good, (2, 2)), compression=compression, tile=(32, 32))
    with tifffile.TiffFile(path, mode="r+") as file:
        tags = file.pages[0].tags
        offsets, counts = list(tags["TileOffsets"].value), list(tags["TileByteCounts"].value)
        offsets[3], counts[3] = path.stat().st_size, len(data)
        tags["TileOffsets"].overwrite(offsets)
        tags["TileByteCounts"].overwrite(counts)
    path.write_bytes(path.read_bytes() + data)
    with open_scene(path) as scene:
        assert scene.read(Window.whole(32, 64)).all()
        try:
            pixels = scene.read(Window.whole(64, 64))
        except InputError as error:
            assert "tile 3 (rows 32 to 63, columns 32 to 63)" in str(error)
        else:  # decoded no further than the tile
            assert compression in ("lzma", "packbits")
            assert not pixels[32:, 32:].any()


def test_strips_that_must_be_decoded_whole(tmp_path: Path) -> None:
    path = written(tmp_path, NOISE[0, ..., 0], compression="zlib", rowsperstrip=70)
    assert not can_stream(path)
    assert isinstance(check_same(path, (20, 20)), ArrayScene)
    with pytest.raises(InputError, match=r"70 x 90 pixels in one compressed strip.* in tiles"):
        open_scene(path, max_pixels=6000)
    path = written(tmp_path, NOISE[..., 0], compression="zlib", photometric="minisblack")
    assert can_stream(path)
    with pytest.raises(InputError, match="in one compressed strip"):
        open_scene(path, max_pixels=6000)
    path = written(tmp_path, NOISE[0, ..., 0])
    assert can_stream(path, max_pixels=1)


def test_only_what_a_window_needs_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmint.images.scene_file import SceneFile

    sizes: list[int] = []
    read_into = SceneFile.read_into

    def counted(self: SceneFile, offset: int, target: memoryview) -> int:
        sizes.append(len(target))
        return read_into(self, offset, target)

    monkeypatch.setattr(SceneFile, "read_into", counted)
    with open_scene(written(tmp_path, NOISE[0, ..., :3], photometric="rgb")) as scene:
        scene.read(Window(top=60, bottom=65, left=40, right=60))
    assert sizes == [60] * 5
    sizes.clear()
    path = written(tmp_path, NOISE[0, ..., 0], tile=(16, 16), compression="zlib")
    with open_scene(path) as scene:
        window = Window(top=17, bottom=30, left=15, right=33)
        scene.read(window)
        assert len(sizes) == 3
        scene.read(window)
        assert len(sizes) == 3


def test_sizes_that_are_lies(tmp_path: Path) -> None:
    path = written(tmp_path, NOISE[0, ..., 0], tile=(32, 32), compression="zlib")
    for tag, value in (("ImageWidth", 2**31), ("ImageLength", 2**31), ("TileLength", 2**30)):
        path = written(tmp_path, NOISE[0, ..., 0], tile=(32, 32), compression="zlib")
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages[0].tags[tag].overwrite(value)
        for skip_bad in (False, True):
            with pytest.raises(InputError) as caught:
                open_scene(path, skip_bad=skip_bad)
            assert "\n" not in str(caught.value)
    path = written(tmp_path, NOISE[0, ..., 0])
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["ImageLength"].overwrite(2**31)
    with pytest.raises(InputError, match=r"image\.tif"):
        open_scene(path)


@settings(max_examples=120)
@given(data=st.data())
def test_damage_never_escapes_as_another_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    options = data.draw(st.sampled_from([{"compression": "zlib"}, {"compression": "jpeg"}, {}]))
    tile = data.draw(st.sampled_from([{"tile": (16, 32)}, {"rowsperstrip": 9}]))
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, NOISE[0, :40, :50, :3], photometric="rgb", **options, **tile)
    bytes_ = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(bytes_), 700) - 1))
        bytes_[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.tif"
    path.write_bytes(bytes_)
    try:
        with open_scene(path, skip_bad=data.draw(st.booleans()), max_pixels=100_000) as scene:
            for window in list(blocks(*scene.size, (64, 64)))[:4]:
                scene.read(window)
                scene.unreadable(window)
    except InputError as error:
        assert "\n" not in str(error)


def test_complex_numbers_and_unusual_pages(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="TIFF of complex64"):
        open_scene(written(tmp_path, NOISE[0, ..., 0].astype(np.complex64)))
    path = written(tmp_path, NOISE[0, ..., 0], compression="png", tile=(32, 32))
    assert not can_stream(path)
    assert isinstance(check_same(path, (20, 20)), ArrayScene)
    with pytest.raises(InputError, match=r"compressed as PNG .* save it in tiles"):
        open_scene(path, max_pixels=100)


WITHOUT_IMAGECODECS = """
import sys, pathlib
sys.modules["imagecodecs"] = None
import numpy as np
from segmint.errors import InputError
from segmint.images import Window, can_stream, open_scene

folder = pathlib.Path(sys.argv[1])
expected = np.load(folder / "expected.npy")
with open_scene(folder / "deflate.tif") as scene:
    assert type(scene).__name__ == "TiffScene"
    assert np.array_equal(scene.read(Window.whole(*scene.size)), expected)
assert not can_stream(folder / "lzw.tif")
assert np.array_equal(open_scene(folder / "lzw.tif").read(Window.whole(70, 90)), expected)
for name, options, message in (
    ("lzw.tif", {"max_pixels": 100}, "pip install 'segmint[bigimage]'"),
    ("bomb.tif", {}, "tile 0 (rows 0 to 31, columns 0 to 31) holds more pixels than its place"),
):
    try:
        open_scene(folder / name, **options).read(Window.whole(32, 32))
    except InputError as error:
        assert message in str(error), error
    else:
        sys.exit(f"{name} was read")
"""


def test_without_the_extra(tmp_path: Path) -> None:
    array = NOISE[0, ..., :3]
    np.save(tmp_path / "expected.npy", array)
    for name, compression in (("deflate", "zlib"), ("lzw", "lzw"), ("bomb", "zlib")):
        tifffile.imwrite(
            tmp_path / f"{name}.tif",
            array,
            photometric="rgb",
            tile=(32, 32),
            compression=compression,
            predictor=True,
        )
    large = zlib.compress(bytes(1 << 23), 9)
    with tifffile.TiffFile(tmp_path / "bomb.tif", mode="r+") as file:
        tags = file.pages[0].tags
        offsets, counts = list(tags["TileOffsets"].value), list(tags["TileByteCounts"].value)
        offsets[0], counts[0] = (tmp_path / "bomb.tif").stat().st_size, len(large)
        tags["TileOffsets"].overwrite(offsets)
        tags["TileByteCounts"].overwrite(counts)
    with (tmp_path / "bomb.tif").open("ab") as out:
        out.write(large)
    subprocess.run([sys.executable, "-c", WITHOUT_IMAGECODECS, str(tmp_path)], check=True)


def test_two_threads_read_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, NOISE[0, ..., 0], tile=(16, 16), compression="zlib")
    expected = read_image(path).pixels
    windows = list(blocks(70, 90, (9, 11))) * 3
    with open_scene(path) as scene, ThreadPoolExecutor(4) as pool:
        for window, pixels in zip(windows, pool.map(scene.read, windows), strict=True):
            np.testing.assert_array_equal(pixels, expected[window.slices])
