"""Image and mask files to arrays as fast as the decoder goes, from several threads at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS
from segmint.images.decoding import Request, apply_orientation, check_pixel_count, decoding, quiet
from segmint.images.image import Image
from segmint.images.masks import read_stored
from segmint.images.reading import read_image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_IMAGE_MODES = ("L", "RGB")
_MASK_MODES = ("P", "L", "1", "I;16")
_ORIENTATION = 0x0112
_TELLS_ORIENTATION = frozenset(("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"))

# Silencing a decoder changes settings of the whole process, so one thread at a time does it.
_SILENCE = threading.Lock()


def read_pixels(path: Path) -> NDArray[Any]:
    """The pixels (H, W, C) of an image file, in the type of the file.

    8-bit grey and RGB in PNG and JPEG, of which most data sets are made, take a short way; what
    comes out is that of :func:`segmint.images.read_image`, which reads all other files.

    Raises:
        InputError: when the file is absent, damaged, too large, or holds a stack.
    """
    pixels = _read_plain(path, _IMAGE_MODES)
    if pixels is not None:
        return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    image = read_carefully(path)
    if image.is_stack:
        raise InputError(
            f"{path} is a stack of {len(image.pixels)} slices, a sample is one image: save each "
            "slice as a file"
        )
    return image.pixels


def read_mask_values(path: Path) -> NDArray[Any]:
    """A mask as its file stores it: (H, W) whole numbers, or (H, W, 3) uint8 colors.

    Raises:
        InputError: when the file is absent, damaged, or no mask.
    """
    values = _read_plain(path, _MASK_MODES)
    if values is None:
        with _SILENCE:
            values = read_stored(path)
    return values.astype(np.uint8) if values.dtype == np.bool_ else values


def read_carefully(path: Path, *, pages: str = "auto") -> Image:
    """What ``read_image`` reads, from any thread."""
    with _SILENCE:
        return read_image(path, pages=pages)


def read_berkeley(path: Path) -> tuple[NDArray[np.int32], ...]:
    """The segmentations of all annotators in a ``.mat`` file, from any thread."""
    from segmint.images.masks import read_masks

    with _SILENCE:
        return read_masks(path, ignore_index=None)


def stored_palette(path: Path) -> NDArray[np.uint8] | None:
    """The colors (256, 3) that a PNG file gives its values, or None where it gives none.

    Raises:
        InputError: when the file is damaged.
    """
    with path.open("rb") as handle, decoding(_request(path), "PNG"):
        picture = _picture(handle)
        colors = picture.getpalette() if picture is not None and picture.mode == "P" else None
    if colors is None:
        return None
    known = np.array(colors, np.uint8).reshape(-1, 3)[:256]
    table = np.zeros((256, 3), np.uint8)
    table[: len(known)] = known
    return table


def _read_plain(path: Path, modes: tuple[str, ...]) -> NDArray[Any] | None:
    """What a PNG or JPEG of a plain mode holds; None for every other file, and for none."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            return None
        handle = path.open("rb")
    except (OSError, ValueError):
        return None
    with handle, decoding(_request(path), "PNG or JPEG"):
        picture = _picture(handle)
        if picture is None or not _is_plain(picture, modes):
            return None
        check_pixel_count(_request(path), (picture.height, picture.width), 1)
        pixels = np.array(picture)
        if modes is _IMAGE_MODES and not _TELLS_ORIENTATION.isdisjoint(picture.info):
            with _SILENCE, quiet("PIL"):
                orientation = picture.getexif().get(_ORIENTATION, 1)
            pixels, _ = apply_orientation(pixels.reshape(*pixels.shape[:2], -1), orientation)
    return pixels


def _picture(handle: Any) -> ImageFile | None:
    """A PNG or JPEG file by its own class, so that no other format is reached."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    start = handle.read(4)
    handle.seek(0)
    if start == b"\x89PNG":
        return PngImageFile(handle)
    return JpegImageFile(handle) if start[:3] == b"\xff\xd8\xff" else None


def _is_plain(picture: ImageFile, modes: tuple[str, ...]) -> bool:
    """Whether the decoder gives the stored values as they are."""
    if picture.mode not in modes or not picture.tile:
        return False
    if picture.format == "JPEG":
        return modes is _IMAGE_MODES
    transparent = modes is _IMAGE_MODES and "transparency" in picture.info
    arguments = picture.tile[0].args
    stored = str(arguments[0] if isinstance(arguments, tuple) else arguments)
    # Of 16-bit color the decoder keeps 8 bits.
    return not transparent and (picture.mode == "I;16" or ";16" not in stored)


def _request(path: Path) -> Request:
    return Request(path=path, pages="auto", max_pixels=MAX_PIXELS)
