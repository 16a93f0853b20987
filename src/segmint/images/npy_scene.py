"""NumPy ``.npy`` files read window by window, without mapping them into memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segmint.errors import InputError
from segmint.images import npy
from segmint.images.checked_scene import SKIP_ADVICE, CheckedScene, Mask
from segmint.images.decoding import Pixels, Request, decoding, quiet
from segmint.images.image import Image
from segmint.images.scene_file import SceneFile
from segmint.images.scene_stored_array import StoredArray, row_block
from segmint.images.window import Window


class NpyScene(CheckedScene):
    """An array (H, W), (H, W, C) or (D, H, W, C); with ``pages="stack"`` also (D, H, W).

    Args:
        request: the file and what its first axis is.
        skip_bad: what a file that was cut short lacks is marked, rather than an error.

    Raises:
        InputError: when it is damaged, or not an image.
    """

    def __init__(self, request: Request, *, skip_bad: bool) -> None:
        self.skip_bad, self.source = skip_bad, request.path
        with decoding(request, "NumPy"), quiet("numpy"), request.path.open("rb") as handle:
            shape, self._turned, stored = npy.read_header(request, handle)
            offset = handle.tell()
            pixels = _pixels_like(request, shape, stored)
        self.dtype = pixels.dtype
        self._is_stack = pixels.ndim == 4
        whole = pixels.shape[1:] if self._is_stack and request.pages == "first" else pixels.shape
        self.height, self.width, self.channels = whole[-3:]
        self.depth = whole[0] if len(whole) == 4 else None
        self.notes = npy.shape_notes(shape, whole)
        file_order = pixels.shape[::-1] if self._turned else pixels.shape
        self._file = SceneFile(request.path)
        self._array = StoredArray(self._file, offset, file_order, np.dtype(stored))
        self._check_length(offset)
        self.block = self._block()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        box: tuple[slice, ...] = (*window.slices, slice(0, self.channels))
        if self._is_stack:
            box = (slice(plane, plane + 1), *box)
        numbers, missing = self._array.read(box[::-1] if self._turned else box)
        pixels = self._in_order(numbers).astype(self.dtype, copy=False)
        if missing is None:
            return pixels, None
        return pixels, self._in_order(missing).any(axis=-1)

    def _in_order(self, numbers: Any) -> Any:
        """(h, w, C) of a box as it lies in the file."""
        upright = numbers.T if self._turned else numbers
        return np.ascontiguousarray(upright[0] if self._is_stack else upright)

    def _block(self) -> tuple[int, int]:
        size, itemsize = self.size, self._array.dtype.itemsize
        if self._turned:
            return row_block(size[::-1], itemsize)[::-1]
        return row_block(size, self.channels * itemsize)

    def _check_length(self, offset: int) -> None:
        if self.skip_bad or self._array.present == math.prod(self._array.shape):
            return
        size, needed = self._file.size, math.prod(self._array.shape) * self._array.dtype.itemsize
        self._file.close()
        raise InputError(
            f"{self.source} has {size} bytes and was cut short, accepted are the "
            f"{offset + needed} bytes that its header says: copy it again, {SKIP_ADVICE}"
        )


def _pixels_like(request: Request, shape: tuple[int, ...], stored: np.dtype[Any]) -> Pixels:
    """Pixels of an array's shape and type that take no memory, after the checks of an image."""
    if stored.kind not in "uif":
        raise InputError(
            f"{request.path} is an array of {stored}, accepted are integers and real "
            "floating-point numbers: save it again as one of these"
        )
    wide = stored.kind == "f" and stored.itemsize > np.dtype(np.float64).itemsize
    dtype = np.dtype(np.float64) if wide else stored.newbyteorder("=")
    empty = np.broadcast_to(np.zeros((), dtype), shape)
    try:
        return Image.from_array(empty, stack=npy.is_stack(shape, request)).pixels
    except InputError as error:
        raise InputError(f"{request.path}: {error}") from error
