"""PNG, JPEG, BMP and WebP files, decoded by Pillow without losing bits.

The format's own class is opened, not ``PIL.Image.open``: no other format can be reached through a
crafted file, and the size is checked against segmint's limit, with no global setting touched.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from segmint.images.decoding import (
    Pixels,
    Request,
    apply_orientation,
    check_pixel_count,
    decoding,
    flatten_alpha,
    quiet,
)
from segmint.images.image import Image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXIF_ORIENTATION = 0x0112


def read_raster(request: Request, format_name: str) -> Image:
    """The first frame of a PNG, JPEG, BMP or WebP file.

    Raises:
        InputError: when it is damaged or larger than the limit.
    """
    with decoding(request, format_name), quiet("PIL"), request.path.open("rb") as handle:
        if format_name == "WebP":
            check_pixel_count(request, _webp_size(handle), 4)
        picture = _open(handle, format_name)
        check_pixel_count(request, (picture.height, picture.width), 4)
        pixels, notes = _decode(handle, picture, format_name)
        pixels, turned = apply_orientation(pixels, picture.getexif().get(_EXIF_ORIENTATION, 1))
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            notes = (f"first of {frames} frames read", *notes)
    return Image(pixels=pixels, source=request.path, notes=(*notes, *turned))


def read_palette_indices(request: Request) -> Pixels | None:
    """Indices (H, W) of an 8-bit palette PNG, or nothing when the file is something else.

    Raises:
        InputError: when it is damaged or larger than the limit.
    """
    with request.path.open("rb") as handle:
        if handle.read(len(PNG_SIGNATURE)) != PNG_SIGNATURE:
            return None
        with decoding(request, "PNG"), quiet("PIL"):
            picture = _open(handle, "PNG")
            if picture.mode != "P":
                return None
            check_pixel_count(request, (picture.height, picture.width), 1)
            return np.array(picture)


def read_tiff_page(handle: BinaryIO, index: int) -> tuple[Pixels, tuple[str, ...]]:
    """One upright TIFF page (H, W, C) through Pillow, for compressions that need libtiff."""
    picture = _open_tiff_page(handle, index)
    if _rawmode(picture) not in ("RGB;16N", "RGBA;16N"):  # libtiff gives the machine's byte order
        return _expand(picture)
    low = _open_tiff_page(handle, index)
    _set_rawmode(low, f"{picture.mode};16{'B' if sys.byteorder == 'little' else 'L'}")
    pixels = _joined_bytes(_loaded(picture), _loaded(low))
    return _without_alpha(pixels[..., :3], pixels[..., 3:], 65535)


def _open(handle: BinaryIO, format_name: str) -> ImageFile:
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    files: dict[str, type[ImageFile]] = {
        "PNG": PngImageFile,
        "JPEG": JpegImageFile,
        "BMP": BmpImageFile,
        "WebP": WebPImageFile,
    }
    handle.seek(0)
    return files[format_name](handle)


def _open_tiff_page(handle: BinaryIO, index: int) -> ImageFile:
    from PIL.TiffImagePlugin import TiffImageFile

    handle.seek(0)
    picture = TiffImageFile(handle)
    picture.seek(index)
    return picture


def _decode(
    handle: BinaryIO, picture: ImageFile, format_name: str
) -> tuple[Pixels, tuple[str, ...]]:
    rawmode = _rawmode(picture) if format_name == "PNG" else ""
    if rawmode == "LA;16B":
        _set_rawmode(picture, "RGBA")
        grey, alpha = np.moveaxis(_loaded(picture).view(">u2").astype(np.uint16), -1, 0)
        return _without_alpha(grey[..., np.newaxis], alpha, 65535)
    if rawmode in ("RGB;16B", "RGBA;16B"):
        low = _open(handle, format_name)
        _set_rawmode(low, f"{rawmode[:-1]}L")
        pixels = _joined_bytes(_loaded(picture), _loaded(low))
        if pixels.shape[-1] == 4:
            return _without_alpha(pixels[..., :3], pixels[..., 3], 65535)
        return _hide_transparent_color(pixels, picture)
    return _expand(picture)


def _joined_bytes(high: Pixels, low: Pixels) -> Pixels:
    # Pillow keeps 8 of the 16 bits of a color picture, those its raw mode takes for the high ones.
    # Decoding a second time in the other byte order gives the rest.
    return high.astype(np.uint16) << 8 | low


def _rawmode(picture: ImageFile) -> str:
    """How the stored bytes are laid out, in Pillow's words, for example ``RGB;16B``."""
    args = picture.tile[0].args
    return str(args[0] if isinstance(args, tuple) else args)


def _set_rawmode(picture: ImageFile, rawmode: str) -> None:
    tiles = []
    for tile in picture.tile:
        args = tile.args
        tiles.append(
            tile._replace(args=(rawmode, *args[1:]) if isinstance(args, tuple) else rawmode)
        )
    picture.tile = tiles


def _expand(picture: ImageFile) -> tuple[Pixels, tuple[str, ...]]:
    """Pixels of the modes that Pillow holds whole, with palette, inks and alpha resolved."""
    mode = picture.mode
    transparent = "transparency" in picture.info
    if mode in ("P", "PA"):
        color = _loaded(picture.convert("RGBA" if transparent or mode == "PA" else "RGB"))
        pixels, notes = _without_alpha(color[..., :3], color[..., 3:], 255)
        return pixels, ("palette expanded to RGB", *notes)
    if mode == "CMYK":
        return _loaded(picture.convert("RGB")), ("CMYK converted to RGB",)
    if mode == "1":
        return _loaded(picture.convert("L")), ("1-bit picture read as 0 and 255",)
    if mode in ("L", "RGB") and transparent:
        picture = picture.convert("LA" if mode == "L" else "RGBA")  # type: ignore[assignment]
    pixels = _loaded(picture)
    if mode in ("I", "I;16", "I;16B"):
        bits = np.uint16 if mode != "I" else pixels.dtype
        return _hide_transparent_color(pixels.astype(bits), picture)
    if picture.mode in ("LA", "RGBA"):
        return _without_alpha(pixels[..., :-1], pixels[..., -1:], 255)
    if mode in ("L", "RGB", "F"):
        return pixels, ()
    raise ValueError(f"mode {mode}")


def _loaded(picture: Any) -> Pixels:
    pixels = np.array(picture)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _without_alpha(color: Pixels, alpha: Pixels, opaque: int) -> tuple[Pixels, tuple[str, ...]]:
    if alpha.size == 0:
        return color, ()
    pixels, note = flatten_alpha(color, alpha.reshape(color.shape[:-1]), opaque)
    return np.ascontiguousarray(pixels), (note,)


def _hide_transparent_color(pixels: Pixels, picture: ImageFile) -> tuple[Pixels, tuple[str, ...]]:
    """Apply the one color that a 16-bit PNG may declare to be transparent."""
    key = picture.info.get("transparency")
    if key is None or pixels.dtype != np.uint16:
        return pixels, ()
    alpha = np.where(np.all(pixels == np.atleast_1d(key), axis=-1), 0, 65535)
    return _without_alpha(pixels, alpha, 65535)


def _webp_size(handle: BinaryIO) -> tuple[int, int]:
    """Rows and columns of a WebP file, from the header of its first chunk."""
    header = handle.read(30)
    kind, body = header[12:16], header[20:30]
    if kind == b"VP8X":
        return (
            int.from_bytes(body[7:10], "little") + 1,
            int.from_bytes(body[4:7], "little") + 1,
        )
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    return (
        int.from_bytes(body[8:10], "little") & 0x3FFF,
        int.from_bytes(body[6:8], "little") & 0x3FFF,
    )
