"""Zarr scenes. Reference: the array that zarr was given."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr import codecs

from segmint.errors import InputError
from segmint.images import Window, blocks, can_stream, open_scene, read_image
from segmint.images.scene import Scene
from segmint.images.zarr_scene import ZarrScene

NOISE = np.random.default_rng(2).integers(1, 200, (2, 3, 4, 40, 50), dtype=np.uint8)


def whole(scene: Scene, block: tuple[int, int]) -> npt.NDArray[Any]:
    pixels = np.zeros((scene.planes, *scene.size, scene.channels), scene.dtype)
    for plane in range(scene.planes):
        for window in blocks(*scene.size, block):
            pixels[(plane, *window.slices)] = scene.read(window, plane)
    return pixels[0] if scene.depth is None else pixels


def array_at(path: Path, values: npt.NDArray[Any], **options: Any) -> Path:
    array = zarr.create_array(
        path, shape=values.shape, dtype=values.dtype, overwrite=True, **options
    )
    array[...] = values
    return path


def multiscale(
    path: Path,
    levels: list[npt.NDArray[Any]],
    axes: list[Any],
    *,
    zarr_format: int = 2,
    **described: Any,
) -> Path:
    chunks = tuple(32 if n > 4 else 1 for n in levels[0].shape)
    datasets = []
    for number, values in enumerate(levels):
        array_at(path / str(number), values, chunks=chunks, zarr_format=zarr_format)
        datasets.append({"path": str(number)})
    ome = {"multiscales": [{"axes": axes, "datasets": datasets}], **described}
    write_group(path, ome if zarr_format == 2 else {"ome": ome}, zarr_format)
    return path


def write_group(path: Path, attributes: dict[str, Any], zarr_format: int = 2) -> None:
    path.mkdir(exist_ok=True)
    if zarr_format == 2:
        (path / ".zgroup").write_text('{"zarr_format": 2}')
        (path / ".zattrs").write_text(json.dumps(attributes))
        return
    group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    (path / "zarr.json").write_text(json.dumps(group))


AXES = [{"name": axis, "type": "space"} for axis in "tczyx"]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("axes", "values"),
    [
        ("yx", NOISE[0, 0, 0]),
        ("cyx", NOISE[0, :, 0]),
        ("zyx", NOISE[0, 0]),
        ("czyx", NOISE[0]),
        ("tczyx", NOISE[:1]),
        ("zcyx", NOISE[0].swapaxes(0, 1)),
        ("yxc", np.moveaxis(NOISE[0, :, 0], 0, -1)),
        ("xyc", NOISE[0, :, 0].T),
    ],
)
def test_named_axes(tmp_path: Path, axes: str, values: npt.NDArray[Any], zarr_format: int) -> None:
    path = multiscale(tmp_path / "a.ome.zarr", [values], list(axes), zarr_format=zarr_format)
    planes = values.reshape([1] * ("t" not in axes) + list(values.shape))
    letters = axes if "t" in axes else f"t{axes}"
    for letter in "cz":
        if letter not in letters:
            planes, letters = planes[np.newaxis], letter + letters
    expected = planes.transpose([letters.index(axis) for axis in "tzyxc"])[0]
    with open_scene(path) as scene:
        assert isinstance(scene, ZarrScene)
        assert (scene.depth is None) == ("z" not in axes)
        expected = expected if "z" in axes else expected[0]
        for block in ((17, 23), (40, 50)):
            np.testing.assert_array_equal(whole(scene, block), expected, strict=True)
        assert scene.block == (32, 32)
    np.testing.assert_array_equal(read_image(path).pixels, expected)


COMPRESSORS = [
    None,
    codecs.BloscCodec(cname="lz4"),
    codecs.BloscCodec(cname="zstd", shuffle="bitshuffle"),
    codecs.GzipCodec(),
    codecs.ZstdCodec(),
]
CALLED = ["none", "lz4", "zstd-in-blosc", "gzip", "zstd"]
"""Names of the compressors that are the same in every process."""


@settings(max_examples=30)
@given(data=st.data())
def test_chunks_types_and_codecs(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    dtype = data.draw(st.sampled_from([">u2", "<u2", "uint8", "int32", "float16", "<f8", ">f4"]))
    values = NOISE[0, :, 0].astype(dtype)
    options: dict[str, Any] = {"chunks": (data.draw(st.integers(1, 3)), 20, 16)}
    options["compressors"] = data.draw(st.sampled_from(COMPRESSORS))
    if data.draw(st.booleans()):
        options["shards"] = (options["chunks"][0] * data.draw(st.integers(1, 2)), 40, 32)
    if data.draw(st.booleans()) or "shards" in options:
        options["filters"] = data.draw(
            st.sampled_from([None, [codecs.TransposeCodec(order=(2, 0, 1))]])
        )
    else:
        options["zarr_format"] = 2
        options["order"] = data.draw(st.sampled_from("CF"))
        if options["compressors"] is not None:
            options["compressors"] = "auto"
    if options.get("zarr_format") != 2:
        values = values.astype(values.dtype.newbyteorder("="))
    path = array_at(tmp_path_factory.getbasetemp() / "a.zarr", values, **options)
    with open_scene(path) as scene:
        read = whole(scene, (data.draw(st.integers(5, 40)), data.draw(st.integers(5, 50))))
    expected = np.moveaxis(values, 0, -1).astype(values.dtype.newbyteorder("="))
    np.testing.assert_array_equal(read, expected, strict=True)


@pytest.mark.parametrize(
    ("shape", "pages", "expected"),
    [
        ((40, 50), "auto", (40, 50, 1)),
        ((40, 50, 3), "auto", (40, 50, 3)),
        ((4, 40, 50), "auto", (40, 50, 4)),
        ((9, 40, 50), "channels", (40, 50, 9)),
        ((9, 40, 50), "stack", (9, 40, 50, 1)),
        ((9, 40, 50), "first", (40, 50, 1)),
        ((9, 40, 50), "auto", "shape (9, 40, 50) without named axes"),
        ((2, 3, 40, 50), "auto", "shape (2, 3, 40, 50) without named axes"),
        ((40,), "auto", "shape (40,) without named axes"),
    ],
)
def test_arrays_without_names(
    tmp_path: Path, shape: tuple[int, ...], pages: str, expected: tuple[int, ...] | str
) -> None:
    values = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    path = array_at(tmp_path / "a.zarr", values)
    if isinstance(expected, str):
        with pytest.raises(InputError) as caught:
            open_scene(path, pages=pages)
        assert expected in str(caught.value)
        assert "accepted are named axes (t, c, z, y, x)" in str(caught.value)
        return
    with open_scene(path, pages=pages) as scene:
        pixels = whole(scene, (33, 33))
        assert pixels.shape == expected
        assert f"array of shape {shape} read with the axes" in scene.notes[0]
    last = values if expected[-1] == 3 or values.ndim == 2 else np.moveaxis(values, 0, -1)
    if pages == "stack":
        last = values
    np.testing.assert_array_equal(
        pixels.ravel(), last[..., 0].ravel() if pages == "first" else last.ravel()
    )


def test_dimension_names(tmp_path: Path) -> None:
    path = array_at(tmp_path / "a.zarr", NOISE[0, 0], dimension_names=["z", "y", "x"])
    with open_scene(path) as scene:
        assert scene.depth == 4
    path = array_at(tmp_path / "b.zarr", NOISE[0, 0], zarr_format=2)
    (path / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["z", "y", "x"]}')
    with open_scene(path) as scene:
        np.testing.assert_array_equal(whole(scene, (40, 50))[..., 0], NOISE[0, 0])


def test_levels_names_and_spacing(tmp_path: Path) -> None:
    levels = [NOISE[0, :, 0, ::step, ::step] for step in (1, 2, 4)]
    axes = [{"name": "c"}, *({"name": axis, "unit": "micrometer"} for axis in "yx")]
    display = {"channels": [{"label": name} for name in ("red", "green", "blue")]}
    path = multiscale(tmp_path / "a.ome.zarr", levels, axes, omero=display)
    attributes = json.loads((path / ".zattrs").read_text())
    scales = [{"type": "scale", "scale": [1, 0.5, 0.25]}]
    attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"] = scales
    (path / ".zattrs").write_text(json.dumps(attributes))
    with open_scene(path) as scene:
        assert isinstance(scene, ZarrScene)
        assert scene.channel_names == ("red", "green", "blue")
        assert scene.spacing == pytest.approx((5e-4, 2.5e-4))
        assert [level.size for level in scene.levels] == [(20, 25), (10, 13)]
        assert isinstance(scene.levels[1], Scene)
        small = whole(scene.levels[1], (40, 50))
    np.testing.assert_array_equal(small, np.moveaxis(levels[2], 0, -1))


def test_time(tmp_path: Path) -> None:
    path = multiscale(tmp_path / "a.zarr", [NOISE], AXES)
    with pytest.raises(InputError, match=r"2 points of time \(axes T, C, Z, Y, X\), accepted"):
        open_scene(path)
    with open_scene(path, pages="first") as scene:
        np.testing.assert_array_equal(whole(scene, (40, 50)), np.moveaxis(NOISE[0, :, 0], 0, -1))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["q", "y", "x"], "has the axes q, y, x, accepted are y and x"),
        (["c", "z", "x"], "has the axes c, z, x, accepted are y and x"),
        (["y", "x"], "names the axes Y, X of an array of shape (4, 40, 50)"),
        ([], "has the axes none"),
    ],
)
def test_axes_that_are_not_expected(tmp_path: Path, axes: list[str], message: str) -> None:
    path = multiscale(tmp_path / "a.zarr", [NOISE[0, 0]], axes)
    with pytest.raises(InputError) as caught:
        open_scene(path)
    assert message in str(caught.value)


def test_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    write_group(path, {})
    with pytest.raises(InputError, match="its arrays are none, accepted are OME-Zarr images"):
        open_scene(path)
    array_at(path / "only", NOISE[0, 0, 0])
    assert open_scene(path).shape == (40, 50)
    array_at(path / "other", NOISE[0, 0, 0], zarr_format=2)
    with pytest.raises(InputError, match="its arrays are only, other"):
        open_scene(path)
    assert open_scene(path / "other").shape == (40, 50)
    write_group(path, {"plate": {}})
    with pytest.raises(InputError, match="is a plate of many images"):
        open_scene(path)
    write_group(path, {"bioformats2raw.layout": 3})
    multiscale(path / "0", [NOISE[0, 0, 0]], ["y", "x"])
    assert open_scene(path).notes[0] == "first image of the folder read"


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = array_at(tmp_path / "a.zarr", NOISE[0, 0, 0], zarr_format=2, chunks=(40, 50))
    metadata = json.loads((path / ".zarray").read_text())
    for change in (
        {"filters": [{"id": "pickle"}]},
        {"compressor": {"id": "pickle"}},
        {"compressor": {"id": "imagecodecs_jpeg"}},
        {"dtype": "|O", "filters": [{"id": "pickle"}]},
        {"compressor": {"id": "numcodecs.pickle"}},
    ):
        (path / ".zarray").write_text(json.dumps({**metadata, **change}))
        with pytest.raises(InputError, match=r"stored with (numcodecs\.)?(pickle|imagecodecs)"):
            open_scene(path)
    for dtype in ("|O", "|b1", "<c8", "<U4", "|V3", "f4,i4", 5, [["a", "<i4"]]):
        (path / ".zarray").write_text(json.dumps({**metadata, "dtype": dtype}))
        with pytest.raises(InputError, match="accepted are integers and real"):
            open_scene(path)
    path = array_at(tmp_path / "b.zarr", NOISE[0, 0, 0], chunks=(8, 10), shards=(40, 50))
    text = (path / "zarr.json").read_text()
    for name in ('"numcodecs.pickle"', '"vlen-bytes"', '"sharding_indexed"'):
        (path / "zarr.json").write_text(text.replace('"bytes"', name))
        with pytest.raises(InputError, match=r"stored"):
            open_scene(path)


@pytest.mark.parametrize("shards", [None, (32, 32)])
@pytest.mark.parametrize("compressor", COMPRESSORS, ids=CALLED)
@pytest.mark.parametrize("how", ["cut", "spoilt"])
def test_a_damaged_chunk_is_named_and_can_be_skipped(
    tmp_path: Path, shards: tuple[int, int] | None, compressor: Any, how: str
) -> None:
    values = NOISE[0, 0, 0]
    path = array_at(
        tmp_path / "a.zarr", values, chunks=(16, 16), shards=shards, compressors=compressor
    )
    chunk = path / "c" / "1" / "1" if shards is None else path / "c" / "0" / "1"
    data = chunk.read_bytes()
    spoilt = how == "spoilt" and compressor is not None  # plain bytes can only be cut
    chunk.write_bytes(b"\xaa" * len(data) if spoilt else data[: len(data) // 3])
    place = np.zeros((40, 50), np.bool_)
    place[(slice(16, 32), slice(16, 32)) if shards is None else (slice(0, 32), slice(32, 50))] = 1
    number = "1.1" if shards is None else "0.2"
    with open_scene(path) as scene, pytest.raises(InputError) as caught:
        scene.read(Window.whole(40, 50))
    assert f"chunk {number} (rows " in str(caught.value)
    assert "--skip-bad" in str(caught.value)
    with open_scene(path, skip_bad=True) as scene:
        pixels, bad = scene.read(Window.whole(40, 50)), scene.unreadable(Window.whole(40, 50))
    assert bad is not None
    np.testing.assert_array_equal(bad, place)
    np.testing.assert_array_equal(pixels[..., 0], np.where(place, 0, values))


def test_chunks_that_are_not_there_are_filled(tmp_path: Path) -> None:
    path = array_at(tmp_path / "a.zarr", NOISE[0, 0, 0], chunks=(16, 16), fill_value=7)
    (path / "c" / "0" / "1").unlink()
    with open_scene(path) as scene:
        pixels = scene.read(Window.whole(40, 50))[..., 0]
    expected = NOISE[0, 0, 0].copy()
    expected[:16, 16:32] = 7
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("compressor", COMPRESSORS[1:], ids=CALLED[1:])
@pytest.mark.parametrize("shards", [None, (32, 32)])
def test_a_chunk_that_would_fill_the_memory(
    tmp_path: Path, compressor: Any, shards: tuple[int, int] | None
) -> None:
    path = array_at(
        tmp_path / "a.zarr",
        NOISE[0, 0, 0, :32, :32],
        chunks=(16, 16),
        shards=shards,
        compressors=compressor,
    )
    large = array_at(
        tmp_path / "b.zarr",
        np.ones((1 << 12, 1 << 12), np.uint8),
        chunks=(1 << 12, 1 << 12),
        compressors=compressor,
    )
    bomb = (large / "c" / "0" / "0").read_bytes()
    if shards is None:
        (path / "c" / "0" / "0").write_bytes(bomb)
    else:
        file = path / "c" / "0" / "0"
        data = bytearray(file.read_bytes())
        index = np.frombuffer(data[-68:-4], "<u8").copy()
        index[:2] = 0, len(bomb)
        index[2::2] += len(bomb)
        from google_crc32c import value

        table = index.tobytes()
        file.write_bytes(bomb + data[:-68] + table + int(value(table)).to_bytes(4, "little"))
    with open_scene(path) as scene:
        scene.read(Window(top=0, bottom=16, left=16, right=32))
        with pytest.raises(InputError, match=r"chunk 0\.0 .* holds more pixels than its place"):
            scene.read(Window.whole(32, 32))


@pytest.mark.parametrize("compressor", [{"id": "zlib"}, {"id": "bz2"}, {"id": "lz4"}])
def test_older_compressors_that_would_fill_the_memory(
    tmp_path: Path, compressor: dict[str, Any]
) -> None:
    import bz2

    path = array_at(
        tmp_path / "a.zarr", NOISE[0, 0, 0], chunks=(40, 50), zarr_format=2, compressors=None
    )
    metadata = json.loads((path / ".zarray").read_text())
    (path / ".zarray").write_text(json.dumps({**metadata, "compressor": compressor}))
    good, large = NOISE[0, 0, 0].tobytes(), bytes(1 << 24)
    bombs = {
        "zlib": (zlib.compress(good), zlib.compress(large)),
        "bz2": (bz2.compress(good), bz2.compress(large)),
        "lz4": (None, (1 << 30).to_bytes(4, "little") + bytes(40)),
    }
    fine, bomb = bombs[compressor["id"]]
    if fine is not None:
        (path / "0.0").write_bytes(fine)
        with open_scene(path) as scene:
            np.testing.assert_array_equal(scene.read(Window.whole(40, 50))[..., 0], NOISE[0, 0, 0])
    (path / "0.0").write_bytes(bomb)
    with open_scene(path) as scene, pytest.raises(InputError, match="holds more pixels"):
        scene.read(Window.whole(40, 50))


def test_metadata_that_are_lies_or_damaged(tmp_path: Path) -> None:
    path = array_at(tmp_path / "a.zarr", NOISE[0, 0, 0], chunks=(16, 16))
    metadata = json.loads((path / "zarr.json").read_text())
    grid = {"name": "regular", "configuration": {"chunk_shape": [10**6, 10**6]}}
    changes: list[dict[str, Any]] = [
        {"chunk_grid": grid},
        {"shape": [0, 50]},
        {"shape": [-1, 50]},
        {"shape": [40, 50, 1, 1, 1, 1]},
        {"shape": "x"},
        {"chunk_grid": None},
        {"codecs": {}},
        {"codecs": []},
        {"codecs": [5]},
        {"data_type": None},
        {"node_type": "else"},
        {"fill_value": "x"},
    ]
    for change in changes:
        (path / "zarr.json").write_text(json.dumps({**metadata, **change}))
        with pytest.raises(InputError) as caught:
            open_scene(path)
        assert "\n" not in str(caught.value)
    for text in ("", "[]", "{", "[" * 100_000, "{}"):
        (path / "zarr.json").write_text(text)
        with pytest.raises(InputError):
            can_stream(path)
    (path / "zarr.json").write_text(json.dumps({**metadata, "shape": [10**7, 10**7]}))
    with open_scene(path) as scene:
        assert not scene.read(Window(top=10**6, bottom=10**6 + 9, left=0, right=9)).any()
    with pytest.raises(InputError, match="counts 100000000000000 pixels"):
        read_image(path)
    outside = multiscale(tmp_path / "b.zarr", [NOISE[0, 0, 0]], ["y", "x"])
    for place in ("../a.zarr", "/etc", "", 5, "none"):
        described = {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": place}]}]}
        write_group(outside, described)
        with pytest.raises(InputError, match=r"b\.zarr"):
            open_scene(outside)
    empty = tmp_path / "c.zarr"
    empty.mkdir()
    with pytest.raises(InputError, match="has no metadata"):
        open_scene(empty)


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    values = np.ones((40, 50), np.float32)
    values[20, 3] = np.nan
    path = array_at(tmp_path / "a.zarr", values, chunks=(16, 16))
    with open_scene(path) as scene:
        scene.read(Window(top=0, bottom=20, left=0, right=50))
        with pytest.raises(InputError, match="NaN or infinite"):
            scene.read(Window.whole(40, 50))
    assert np.isnan(read_image(path).pixels).sum() == 1


def test_without_the_extra(tmp_path: Path) -> None:
    path = array_at(tmp_path / "a.zarr", NOISE[0, 0, 0])
    code = (
        "import sys; sys.modules['zarr'] = None\n"
        "from segmint.errors import SegmintError\n"
        "from segmint.images import open_scene\n"
        "try:\n    open_scene(sys.argv[1])\n"
        "except SegmintError as error:\n    assert 'segmint[bigimage]' in str(error)\n"
        "else:\n    sys.exit(3)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
