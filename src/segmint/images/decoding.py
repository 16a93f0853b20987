"""What every decoder shares: limits, errors, alpha, orientation, and silence."""

from __future__ import annotations

import logging
import lzma
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError

ACCEPTED = "PNG, JPEG, BMP, WebP, TIFF, NIfTI, NumPy or Zarr images"

Pixels = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One file to be read and how."""

    path: Path
    pages: str
    max_pixels: int


@contextmanager
def decoding(request: Request, format_name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on bad bytes into one ``InputError``."""
    try:
        yield
    except InputError:
        raise
    except _decoder_errors() as error:
        raise damaged(request, format_name) from error


def damaged(request: Request, format_name: str) -> InputError:
    """The error for a file that begins like an image and cannot be decoded."""
    return InputError(
        f"{request.path} is a damaged, cut short or unusual {format_name} file, accepted are whole "
        f"{ACCEPTED}: copy it again or save it anew"
    )


def check_pixel_count(request: Request, shape: tuple[int, ...], channels: int) -> None:
    """Refuse an image that its header says is too large, before any of it is decoded.

    Args:
        request: the file and its limit.
        shape: pixels along each axis, channels apart.
        channels: values a pixel; four of them count as one pixel.

    Raises:
        InputError: names the pixels, the limit and the option that raises it.
    """
    pixels = -(-channels // 4)
    for length in shape:
        pixels *= int(length)
    if pixels > request.max_pixels:
        size = " x ".join(str(int(length)) for length in shape)
        raise InputError(
            f"{request.path} is {size} with {channels} channels and counts {pixels} pixels, "
            f"accepted are at most {request.max_pixels}: "
            "raise --max-pixels if you trust it, or make it smaller"
        )


def flatten_alpha(
    color: Pixels, alpha: Pixels, opaque: float, *, premultiplied: bool = False
) -> tuple[Pixels, str]:
    """Color without its alpha channel, and the sentence that says what became of it.

    Args:
        color: (..., C).
        alpha: (...), 0 to ``opaque``.
        opaque: the value of a pixel that hides everything, and of white.
        premultiplied: color is already multiplied by alpha.
    """
    if np.all(alpha == opaque):
        return color, "alpha channel dropped: every pixel is opaque"
    weight = (alpha / np.float64(opaque))[..., np.newaxis]
    white = opaque * (1.0 - weight)
    mixed = (color if premultiplied else color * weight) + white
    if color.dtype.kind in "ui":
        mixed = np.clip(np.rint(mixed), 0, opaque)
    return mixed.astype(color.dtype), "transparent pixels shown over white"


# How the stored rows and columns become upright, by EXIF and TIFF orientation.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: np.flip(pixels, axis=-2),
    3: lambda pixels: np.flip(pixels, axis=(-3, -2)),
    4: lambda pixels: np.flip(pixels, axis=-3),
    5: lambda pixels: np.swapaxes(pixels, -3, -2),
    6: lambda pixels: np.rot90(pixels, -1, axes=(-3, -2)),
    7: lambda pixels: np.flip(np.swapaxes(pixels, -3, -2), axis=(-3, -2)),
    8: lambda pixels: np.rot90(pixels, 1, axes=(-3, -2)),
}


def apply_orientation(pixels: Pixels, orientation: int) -> tuple[Pixels, tuple[str, ...]]:
    """Upright pixels (..., H, W, C) and a note, for an EXIF orientation of 1 to 8."""
    if orientation not in _UPRIGHT:
        return pixels, ()
    upright = np.ascontiguousarray(_UPRIGHT[orientation](pixels))
    return upright, (f"orientation {orientation} applied",)


def invert_cmyk(pixels: Pixels, full: int) -> Pixels:
    """RGB from inks (..., 4) of 0 to ``full``, without color management."""
    light = full - pixels.astype(np.float64)
    rgb = light[..., :3] * light[..., 3:] / full
    return np.asarray(np.rint(rgb), dtype=pixels.dtype)


@contextmanager
def quiet(logger_name: str) -> Iterator[list[logging.LogRecord]]:
    """Keep a decoder from talking to the user; yields what it logged meanwhile.

    A decoder's remarks are about bytes. What matters to the user becomes a note or an error.
    """
    records: list[logging.LogRecord] = []

    def collect(record: logging.LogRecord) -> bool:
        records.append(record)
        return False

    logger = logging.getLogger(logger_name)
    logger.addFilter(collect)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield records
    finally:
        logger.removeFilter(collect)


def _decoder_errors() -> tuple[type[Exception], ...]:
    from tokenize import TokenError

    from PIL.Image import DecompressionBombError

    # Decoders meet hostile bytes with any of these; none of them tells the user anything.
    return (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        EOFError,
        MemoryError,
        RuntimeError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
        TokenError,
        DecompressionBombError,
    )
