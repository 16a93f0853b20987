"""NumPy ``.npy`` files, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.decoding import Request, check_pixel_count, decoding, quiet
from segmint.images.image import Image


def read_npy(request: Request) -> Image:
    """An array (H, W), (H, W, C) or (D, H, W, C); with ``pages="stack"`` also (D, H, W).

    Raises:
        InputError: when it is damaged, larger than the limit, or not an image.
    """
    with decoding(request, "NumPy"), quiet("numpy"), request.path.open("rb") as handle:
        shape, _, dtype = read_header(request, handle)
        if dtype.kind not in "uif":
            raise InputError(
                f"{request.path} is an array of {dtype}, accepted are integers and real "
                "floating-point numbers: save it again as one of these"
            )
        stack = is_stack(shape, request)
        plain = len(shape) == 2 or (len(shape) == 3 and stack)
        check_pixel_count(request, shape if plain else shape[:-1], 1 if plain else shape[-1])
        handle.seek(0)
        array = np.load(handle, allow_pickle=False)
    try:
        pixels = Image.from_array(array, stack=stack).pixels
    except InputError as error:
        raise InputError(f"{request.path}: {error}") from error
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if stack and request.pages == "first":
        pixels = pixels[0]
    return Image(pixels=pixels, source=request.path, notes=shape_notes(array.shape, pixels.shape))


def is_stack(shape: tuple[int, ...], request: Request) -> bool:
    """Whether the first axis of an array counts slices."""
    return len(shape) == 4 or (len(shape) == 3 and request.pages == "stack")


def shape_notes(stored: tuple[int, ...], pixels: tuple[int, ...]) -> tuple[str, ...]:
    """What became of an array that is not (H, W) as pixels (H, W, C) or (D, H, W, C)."""
    kind = f"stack of {pixels[0]}" if len(pixels) == 4 else f"{pixels[-1]} channels"
    return () if len(stored) == 2 else (f"array of shape {stored} read as {kind}",)


def load_array(request: Request) -> npt.NDArray[Any]:
    """The array as it is stored, of any type but objects.

    Raises:
        InputError: when it is damaged, or holds pickled objects.
    """
    with decoding(request, "NumPy"), request.path.open("rb") as handle:
        read_header(request, handle)
        handle.seek(0)
        array: npt.NDArray[Any] = np.load(handle, allow_pickle=False)
        return array


def is_pickle(start: bytes) -> bool:
    """Whether bytes are the start of a pickle of protocol 2 or later."""
    return start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5")


def pickled(path: Path) -> InputError:
    """The error for a file that would have to run code to be read."""
    return InputError(
        f"{path} holds pickled objects, which could run code and are never loaded, accepted are "
        "plain arrays of numbers: save each array again with numpy.save"
    )


def read_header(
    request: Request, handle: BinaryIO
) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether the first axis runs fastest, and type; the numbers begin after it.

    Raises:
        InputError: when the file holds pickled objects.
    """
    if is_pickle(handle.read(2)):
        raise pickled(request.path)
    handle.seek(0)
    major, _ = np.lib.format.read_magic(handle)
    read = (
        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    )
    shape, fortran_order, dtype = read(handle)
    if dtype.hasobject:
        raise pickled(request.path)
    return shape, fortran_order, dtype
