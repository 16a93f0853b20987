"""PNG, JPEG, BMP and WebP: no bit lost, every decision noted. Reference: Pillow or the bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from segmint.errors import InputError
from segmint.images import read_image

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
SIDES = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGBA: 4}


def sixteen_bit_png(
    pixels: npt.NDArray[np.uint16], color_type: int, transparent: bytes = b""
) -> bytes:
    """A 16-bit PNG by the specification; rows use the filters none, sub and up in turn."""
    height, width = pixels.shape[:2]
    step = 2 * SIDES[color_type]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    body = b""
    for index, row in enumerate(rows):
        if index % 3 == 1:
            row = row - np.concatenate([np.zeros(step, np.uint8), row[:-step]])
        elif index % 3 == 2:
            row = row - rows[index - 1]
        body += bytes([index % 3]) + row.tobytes()
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    if transparent:
        chunks.insert(1, (b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def random_pixels(*shape: int, dtype: type = np.uint8) -> npt.NDArray[np.integer]:
    high = np.iinfo(dtype).max
    return np.random.default_rng(3).integers(0, high, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("suffix", ["png", "bmp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_formats_return_the_pixels(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = random_pixels(7, 5, channels)
    path = tmp_path / f"image.{suffix}"
    Pillow.fromarray(pixels.squeeze()).save(path)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.notes == ()
    assert image.source == path


def test_lossless_webp(tmp_path: Path) -> None:
    pixels = random_pixels(6, 9, 3)
    Pillow.fromarray(pixels).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / "a.webp").pixels, pixels)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_is_what_pillow_decodes(tmp_path: Path, mode: str) -> None:
    Pillow.fromarray(random_pixels(16, 24, 3)).convert(mode).save(tmp_path / "a.jpg")
    expected = np.asarray(Pillow.open(tmp_path / "a.jpg"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg").pixels.squeeze(), expected)


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 0] = 255
    Pillow.fromarray(inks, mode="CMYK").save(tmp_path / "a.jpg", quality=95)
    image = read_image(tmp_path / "a.jpg")
    np.testing.assert_allclose(image.pixels[8, 8], [0, 255, 255], atol=3)
    assert image.notes == ("CMYK converted to RGB",)


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_one_bit_becomes_0_and_255(tmp_path: Path, suffix: str) -> None:
    bits = random_pixels(9, 11) > 100
    Pillow.fromarray(bits).save(tmp_path / f"a.{suffix}")
    image = read_image(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(image.pixels[..., 0], np.where(bits, 255, 0))
    assert image.pixels.dtype == np.uint8


@pytest.mark.parametrize("transparent", [False, True])
def test_palette_expands(tmp_path: Path, transparent: bool) -> None:
    colors = random_pixels(4, 3)
    indices = random_pixels(5, 6) % 4
    picture = Pillow.fromarray(indices)
    picture.putpalette(colors.tobytes())
    picture.save(tmp_path / "a.png", **({"transparency": 2} if transparent else {}))
    expected = colors[indices]
    if transparent:
        expected[indices == 2] = 255
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.notes[0] == "palette expanded to RGB"


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_pixels_lie_over_white(tmp_path: Path, mode: str) -> None:
    pixels = random_pixels(8, 8, len(mode))
    picture = Pillow.fromarray(pixels)
    picture.save(tmp_path / "a.png")
    white = Pillow.new("RGBA", picture.size, "white")
    composite = Pillow.alpha_composite(white, picture.convert("RGBA"))
    expected = np.asarray(composite)[..., : len(mode) - 1]
    image = read_image(tmp_path / "a.png")
    np.testing.assert_allclose(image.pixels.astype(int), expected, atol=1)
    assert image.notes == ("transparent pixels shown over white",)


def test_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    pixels = random_pixels(4, 4, 4)
    pixels[..., 3] = 255
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, pixels[..., :3])
    assert image.notes == ("alpha channel dropped: every pixel is opaque",)


@pytest.mark.parametrize("color_type", [GREY, RGB])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, color_type: int) -> None:
    pixels = random_pixels(7, 5, SIDES[color_type], dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(sixteen_bit_png(pixels, color_type))
    image = read_image(tmp_path / "a.png")
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("color_type", [GREY_ALPHA, RGBA])
@pytest.mark.parametrize("opaque", [True, False])
def test_sixteen_bit_alpha(tmp_path: Path, color_type: int, opaque: bool) -> None:
    pixels = random_pixels(7, 5, SIDES[color_type], dtype=np.uint16)
    if opaque:
        pixels[..., -1] = 65535
    (tmp_path / "a.png").write_bytes(sixteen_bit_png(pixels, color_type))
    weight = pixels[..., -1:] / 65535
    expected = np.rint(pixels[..., :-1] * weight + 65535 * (1 - weight))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, expected)


@pytest.mark.parametrize("color_type", [GREY, RGB])
def test_sixteen_bit_transparent_color(tmp_path: Path, color_type: int) -> None:
    pixels = random_pixels(4, 4, SIDES[color_type], dtype=np.uint16)
    key = pixels[1, 2].astype(">u2").tobytes()
    (tmp_path / "a.png").write_bytes(sixteen_bit_png(pixels, color_type, key))
    expected = pixels.copy()
    expected[1, 2] = 65535
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Pillow.fromarray(random_pixels(16, 24, 3)).save(path, exif=exif)
    with Pillow.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.notes == ((f"orientation {orientation} applied",) if orientation > 1 else ())


def test_only_the_first_frame_is_read_and_it_is_said(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(random_pixels(8, 8, 3)), Pillow.new("RGB", (8, 8))]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, np.asarray(frames[0]))
    assert image.notes == ("first of 2 frames read",)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.webp"])
@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_the_pixel_limit_is_exact(tmp_path: Path, name: str, options: dict[str, bool]) -> None:
    Pillow.new("RGB", (30, 20)).save(tmp_path / name, **(options if "webp" in name else {}))
    assert read_image(tmp_path / name, max_pixels=600).width == 30
    with pytest.raises(InputError, match=r"20 x 30 .* 600 pixels, .* 599: raise --max-pixels"):
        read_image(tmp_path / name, max_pixels=599)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    data = bytearray(sixteen_bit_png(random_pixels(2, 2, 1, dtype=np.uint16), GREY))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "bomb.png").write_bytes(data)
    limit = Pillow.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match="10000000000 pixels"):
        read_image(tmp_path / "bomb.png")
    assert limit == Pillow.MAX_IMAGE_PIXELS
