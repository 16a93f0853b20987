"""Read an image file of any supported format; what it is, its bytes decide."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from segmint.errors import InputError, UsageError, nearest
from segmint.images import nifti, npy, prepared, raster, tiff
from segmint.images.choices import MAX_PIXELS, PAGE_CHOICES
from segmint.images.collect import nearest_file
from segmint.images.decoding import ACCEPTED, Request
from segmint.images.image import Image
from segmint.images.zarr_folders import is_zarr

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (raster.PNG_SIGNATURE, "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\x93NUMPY", "NumPy"),
    (prepared.ZIP_SIGNATURE, "prepared"),
    (b"\x1f\x8b", "gzip"),
)
_LONGEST_START = 540


def read_image(path: str | Path, *, pages: str = "auto", max_pixels: int = MAX_PIXELS) -> Image:
    """Read a PNG, JPEG, BMP, WebP, TIFF, NIfTI, NumPy or Zarr image, or a prepared one (``.npz``).

    Values stay as they are stored: 16-bit stays 16-bit, in color too. A palette and CMYK become
    RGB, transparent pixels are shown over white, and the EXIF orientation is applied; each such
    decision is a sentence in ``notes``.

    Args:
        path: the file, or the folder of a Zarr image; its content decides the format, not its
            suffix.
        pages: what the pages of a TIFF or the slices of an array are. ``auto`` follows the axes
            the file names, and else takes up to 4 grey pages for channels and more for a stack;
            ``channels`` and ``stack`` say so; ``first`` takes the first alone.
        max_pixels: larger images are refused by their header, before they are decoded; four
            channels count as one pixel.

    Returns:
        The image, ``pixels`` (H, W, C) or (D, H, W, C).

    Raises:
        InputError: when the file is missing, empty, damaged, too large or not an image.
        UsageError: for an unknown ``pages`` or a limit below 1.
    """
    request = checked_request(path, pages=pages, max_pixels=max_pixels)
    if is_zarr(request.path):
        from segmint.images.zarr_scene import read_zarr

        return read_zarr(request)
    start = start_of(request.path)
    format_name = format_of(request.path, start)
    if format_name == "TIFF":
        return tiff.read_tiff(request)
    if format_name == "NumPy":
        return npy.read_npy(request)
    if format_name == "prepared":
        return prepared.read_prepared(request.path, max_pixels=request.max_pixels)
    if format_name in ("gzip", "NIfTI"):
        return _read_nifti(request, start, gzipped=format_name == "gzip")
    return raster.read_raster(request, format_name)


def checked_request(path: str | Path, *, pages: str, max_pixels: int) -> Request:
    """What is to be read and how.

    Raises:
        UsageError: for an unknown ``pages`` or a limit below 1.
    """
    if pages not in PAGE_CHOICES:
        raise UsageError(f"--pages is {pages!r}: {nearest(pages, PAGE_CHOICES)}")
    if max_pixels < 1:
        raise UsageError(f"--max-pixels is {max_pixels}, accepted is 1 or more")
    return Request(path=Path(path), pages=pages, max_pixels=max_pixels)


def _read_nifti(request: Request, start: bytes, *, gzipped: bool) -> Image:
    version = nifti.nifti_version(nifti.gzipped_start(request.path) if gzipped else start)
    if version is None:
        raise InputError(
            f"{request.path} is a gzip file without a readable NIfTI volume in it, accepted are "
            f"{ACCEPTED}: unpack it or copy it again"
        )
    image = nifti.read_nifti(request, version, gzipped=gzipped)
    if request.pages != "first" or not image.is_stack:
        return image
    return _first_slice(image)


def _first_slice(image: Image) -> Image:
    assert image.spacing is not None and image.volume_shape is not None
    return dataclasses.replace(
        image,
        pixels=image.pixels[0],
        spacing=image.spacing[1:],
        volume_shape=(*image.volume_shape[:2], 1),
        notes=("first slice read",),
    )


def check_regular(path: Path) -> None:
    """Refuse pipes and devices, which may never end.

    Raises:
        InputError: when what is there is no regular file.
    """
    try:
        is_other = path.exists() and not (path.is_file() or path.is_dir())
    except (OSError, ValueError):
        return
    if is_other:
        raise InputError(
            f"{path} is a pipe or a device, accepted are regular files: write it to a file first"
        )


def start_of(path: Path) -> bytes:
    """The first bytes of a file, enough to tell its format.

    Raises:
        InputError: when it is missing, empty, a folder or not to be opened.
    """
    if os.path.isdir(path):  # noqa: PTH112 (Path raises where a name is too long)
        raise InputError(f"{path} is a folder, accepted is one image file: name a file in it")
    check_regular(path)
    try:
        with path.open("rb") as handle:
            start = handle.read(_LONGEST_START)
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist, accepted is an image file: {nearest_file(path)}"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not a path"
        raise InputError(
            f"{path} cannot be opened ({reason}), accepted is a readable image file: "
            "check its permissions"
        ) from error
    if not start:
        raise InputError(f"{path} is empty (0 bytes), accepted are {ACCEPTED}: copy it again")
    return start


def format_of(path: Path, start: bytes) -> str:
    """The name of the format that a file's first bytes are of.

    Raises:
        InputError: when it is no image, or would have to run code to be read.
    """
    for signature, format_name in _SIGNATURES:
        if start.startswith(signature):
            return format_name
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if nifti.nifti_version(start):
        return "NIfTI"
    if npy.is_pickle(start):
        raise npy.pickled(path)
    kind = "text" if _is_text(start) else "bytes of no known image format"
    raise InputError(
        f"{path} is not an image but {kind}, accepted are {ACCEPTED}: "
        "check the file or convert it to PNG or TIFF"
    )


def _is_text(start: bytes) -> bool:
    return b"\0" not in start and all(byte >= 9 for byte in start)
