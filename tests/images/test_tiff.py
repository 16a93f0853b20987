"""TIFF of every kind. Reference: the array that tifffile or Pillow was given."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageOps

from segmint.errors import InputError
from segmint.images import read_image

PAGES = np.random.default_rng(5).integers(0, 65536, (6, 12, 10), dtype=np.uint16)


def written(tmp_path: Path, array: npt.NDArray[Any], **options: Any) -> Path:
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, array, **options)
    return path


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(
    "dtype",
    ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"],
)
def test_types_are_kept(tmp_path: Path, dtype: str, byteorder: str, bigtiff: bool) -> None:
    array = (PAGES[0] % 100).astype(dtype)
    image = read_image(written(tmp_path, array, byteorder=byteorder, bigtiff=bigtiff))
    assert image.pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image.pixels[..., 0], array)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_planes_and_interleaved_color(tmp_path: Path, planar: str, dtype: str) -> None:
    color = PAGES[:3].astype(dtype)
    stored = color if planar == "separate" else np.moveaxis(color, 0, -1)
    path = written(tmp_path, stored, photometric="rgb", planarconfig=planar)
    np.testing.assert_array_equal(read_image(path).pixels, np.moveaxis(color, 0, -1))


@pytest.mark.parametrize("options", [{"tile": (16, 16)}, {"rowsperstrip": 5}])
@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
def test_tiles_and_strips(tmp_path: Path, options: dict[str, Any], compression: str | None) -> None:
    predictor = compression is not None
    path = written(tmp_path, PAGES[0], compression=compression, predictor=predictor, **options)
    np.testing.assert_array_equal(read_image(path).pixels[..., 0], PAGES[0])


@pytest.mark.parametrize(
    ("count", "pages", "shape", "word"),
    [
        (3, "auto", (12, 10, 3), "channels"),
        (6, "auto", (6, 12, 10, 1), "stack"),
        (3, "stack", (3, 12, 10, 1), "stack"),
        (6, "channels", (12, 10, 6), "channels"),
        (6, "first", (12, 10, 1), ""),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_pages(
    tmp_path: Path, count: int, pages: str, shape: tuple[int, ...], word: str, together: bool
) -> None:
    array = PAGES[:count]
    if together:
        path = written(tmp_path, array, photometric="minisblack")
    else:
        path = tmp_path / "image.tif"
        with tifffile.TiffWriter(path) as writer:
            for page in array:
                writer.write(page, contiguous=False, metadata=None)
    image = read_image(path, pages=pages)
    assert image.pixels.shape == shape
    expected = np.moveaxis(array, 0, -1) if len(shape) == 3 else array[..., np.newaxis]
    np.testing.assert_array_equal(image.pixels, expected[..., : shape[-1]])
    assert len(image.notes) == (word != "")
    assert all(f"{count} pages read as" in note and word in note for note in image.notes)


@pytest.mark.parametrize("kind", ["ome", "imagej"])
def test_named_axes_decide(tmp_path: Path, kind: str) -> None:
    array = PAGES.reshape(3, 2, 12, 10)
    path = written(tmp_path, array, metadata={"axes": "ZCYX"}, **{kind: True})
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, np.moveaxis(array, 1, -1))
    assert image.notes == ("6 pages read as 3 slices of 2 channels",)
    path = written(tmp_path, PAGES, metadata={"axes": "CYX"}, **{kind: True})
    np.testing.assert_array_equal(read_image(path).pixels, np.moveaxis(PAGES, 0, -1))
    path = written(tmp_path, PAGES[:3], metadata={"axes": "ZYX"}, **{kind: True})
    assert read_image(path).is_stack


def test_color_stack(tmp_path: Path) -> None:
    array = np.stack([PAGES[:3], PAGES[3:]]).transpose(0, 2, 3, 1).astype(np.uint8)
    path = written(tmp_path, array, photometric="rgb")
    np.testing.assert_array_equal(read_image(path).pixels, array)


def test_one_bit_white_is_zero_and_palette(tmp_path: Path) -> None:
    bits = PAGES[0] > 30000
    expected = np.where(bits, 255, 0)
    path = written(tmp_path, bits, photometric="minisblack")
    np.testing.assert_array_equal(read_image(path).pixels[..., 0], expected)
    path = written(tmp_path, ~bits, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(path).pixels[..., 0], expected)
    path = written(tmp_path, 65535 - PAGES[0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(path).pixels[..., 0], PAGES[0])
    indices = PAGES[0].astype(np.uint8)
    colors = np.random.default_rng(0).integers(0, 256, (3, 256), dtype=np.uint16)
    path = written(tmp_path, indices, photometric="palette", colormap=colors * 257)
    np.testing.assert_array_equal(read_image(path).pixels, colors.T[indices])


def test_alpha_and_cmyk(tmp_path: Path) -> None:
    color = np.moveaxis(PAGES[:4], 0, -1).astype(np.uint8)
    path = written(tmp_path, color, photometric="rgb", extrasamples=["unassalpha"])
    weight = color[..., 3:] / 255
    expected = np.rint(color[..., :3] * weight + 255 * (1 - weight))
    np.testing.assert_allclose(read_image(path).pixels, expected, atol=1)
    extra = written(tmp_path, color, photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(read_image(extra).pixels, color)
    path = written(tmp_path, color, photometric="separated")
    ink = color / 255
    expected = np.rint(255 * (1 - ink[..., :3]) * (1 - ink[..., 3:]))
    np.testing.assert_allclose(read_image(path).pixels, expected, atol=1)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16", "F", "P"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
def test_compressions_of_libtiff(tmp_path: Path, mode: str, compression: str) -> None:
    grey = PAGES[0] if mode == "I;16" else PAGES[0].astype(np.float32)
    source = Pillow.fromarray(grey if mode in ("I;16", "F") else PAGES[0].astype(np.uint8))
    picture = source if mode in ("I;16", "F") else source.convert(mode)
    picture.save(tmp_path / "a.tif", compression=compression)
    expected = np.asarray(picture.convert("RGB") if mode == "P" else picture)
    expected = np.where(expected, 255, 0) if mode == "1" else expected
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels.squeeze(), expected)
    if compression == "tiff_lzw" and importlib.util.find_spec("imagecodecs") is None:
        assert image.notes[0] == "LZW compression decoded by libtiff"


def test_lzw_pages_and_jpeg_color(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(page) for page in PAGES]
    pages[0].save(
        tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw"
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels[..., 0], PAGES)
    smooth = np.linspace(0, 255, 16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)
    Pillow.fromarray(smooth).save(tmp_path / "b.tif", compression="jpeg", quality=95)
    difference = read_image(tmp_path / "b.tif").pixels.astype(int) - smooth
    assert np.abs(difference).mean() < 3


def lzw_tiff(pixels: npt.NDArray[np.uint16], byteorder: str) -> bytes:
    """A 16-bit color TIFF by the specification, its LZW codes never longer than 9 bits."""
    height, width, samples = pixels.shape
    raw = pixels.astype(f"{byteorder}u2").tobytes()
    codes: list[int] = []
    for start in range(0, len(raw), 200):
        codes += [256, *raw[start : start + 200]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    strip = int(bits.ljust(-(-len(bits) // 16) * 16, "0"), 2).to_bytes(-(-len(bits) // 16) * 2)
    depth_at = 8 + len(strip)
    entries = [(256, width), (257, height), (258, depth_at), (259, 5), (262, 2), (273, 8)]
    entries += [(277, samples), (278, height), (279, len(strip))]
    entries += [(338, 2)] if samples == 4 else []
    directory = struct.pack(f"{byteorder}H", len(entries))
    for tag, value in entries:
        count = samples if tag == 258 else 1
        kind, layout = (3, "HHIH2x") if tag in (259, 262, 277, 338) else (4, "HHII")
        kind = 3 if tag == 258 else kind
        directory += struct.pack(byteorder + layout, tag, kind, count, value)
    directory += bytes(4)
    depths = struct.pack(f"{byteorder}{samples}H", *[16] * samples)
    mark = b"II" if byteorder == "<" else b"MM"
    header = mark + struct.pack(f"{byteorder}HI", 42, depth_at + len(depths))
    return header + strip + depths + directory


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("samples", [3, 4])
def test_lzw_color_keeps_16_bits(tmp_path: Path, byteorder: str, samples: int) -> None:
    pixels = np.moveaxis(PAGES[:samples], 0, -1).copy()
    pixels[..., 3:] = 65535
    (tmp_path / "a.tif").write_bytes(lzw_tiff(pixels, byteorder))
    image = read_image(tmp_path / "a.tif")
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, pixels[..., :3])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_orientation(tmp_path: Path, orientation: int, compression: str | None) -> None:
    stored = PAGES[0, :, :7]
    Pillow.fromarray(stored).save(
        tmp_path / "a.tif", tiffinfo={274: orientation}, compression=compression
    )
    picture = Pillow.fromarray(stored)
    picture.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels[..., 0], expected)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_file_is_never_completed(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "image.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in PAGES:
            writer.write(page, contiguous=False, metadata=None, compression=compression)
    whole = path.read_bytes()
    for length in range(1, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_image(path)


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"compression": "zlib"}])
def test_a_cut_stack_is_never_completed(tmp_path: Path, options: dict[str, Any]) -> None:
    path = written(tmp_path, PAGES, photometric="minisblack", **options)
    whole = path.read_bytes()
    expected = read_image(path).pixels
    for length in range(1, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        try:
            pixels = read_image(path).pixels
        except InputError:
            continue
        np.testing.assert_array_equal(pixels, expected)


def test_limit_and_unreadable_kinds(tmp_path: Path) -> None:
    path = written(tmp_path, PAGES, photometric="minisblack")
    assert read_image(path, max_pixels=720).is_stack
    with pytest.raises(InputError, match=r"6 x 12 x 10 .* counts 720 pixels, accepted .* 719"):
        read_image(path, max_pixels=719)
    assert not read_image(path, pages="first", max_pixels=120).is_stack
    path = written(tmp_path, PAGES[0].astype(np.complex64))
    with pytest.raises(InputError, match="TIFF of complex64"):
        read_image(path)


def test_an_image_beside_another_is_said(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(PAGES[0], metadata=None)
        writer.write(PAGES[1, :5, :4], metadata=None)
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels[..., 0], PAGES[0])
    assert image.notes == ("first of 2 series read",)
