"""Numbers that lie in a file one after another, read box by box."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from segmint.images.checked_scene import Mask
from segmint.images.decoding import Pixels
from segmint.images.scene_file import SceneFile

_BLOCK_BYTES = 4 << 20
_LEAST_ROWS, _MOST_ROWS = 16, 512

Box = tuple[slice, ...]


class StoredArray:
    """An uncompressed array in a file, the last axis running fastest.

    Args:
        file: where it lies.
        offset: bytes before its first number.
        shape: length of each axis.
        dtype: as stored, byte order included.
    """

    def __init__(
        self, file: SceneFile, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._file, self._offset = file, offset

    @property
    def present(self) -> int:
        """Numbers that the file holds; fewer than the array has when it was cut short."""
        held = max(self._file.size - self._offset, 0) // self.dtype.itemsize
        return min(held, math.prod(self.shape))

    def read(self, box: Box) -> tuple[Pixels, Mask | None]:
        """Numbers of a box in native byte order, and which are missing (None: all are there).

        Args:
            box: a slice with start and stop for each axis.
        """
        lengths = tuple(part.stop - part.start for part in box)
        numbers = np.zeros(lengths, self.dtype)
        starts, run = self._runs(box)
        target = numbers.reshape(-1).view(np.uint8).data
        size = run * self.dtype.itemsize
        for index, start in enumerate(starts):
            place = self._offset + start * self.dtype.itemsize
            self._file.read_into(place, target[index * size : (index + 1) * size])
        return numbers.astype(self.dtype.newbyteorder("="), copy=False), self._missing(box)

    def _runs(self, box: Box) -> tuple[Iterator[int], int]:
        """Where each run of numbers that lie together starts, and how long all are."""
        strides = self._strides()
        axis = len(box) - 1
        while axis > 0 and box[axis] == slice(0, self.shape[axis]):
            axis -= 1
        first = box[axis].start * strides[axis]
        outer = [
            [index * strides[place] for index in range(part.start, part.stop)]
            for place, part in enumerate(box[:axis])
        ]
        starts = (first + sum(offsets) for offsets in product(*outer))
        return starts, (box[axis].stop - box[axis].start) * strides[axis]

    def _missing(self, box: Box) -> Mask | None:
        present = self.present
        last = sum(
            (part.stop - 1) * stride for part, stride in zip(box, self._strides(), strict=True)
        )
        if last < present:
            return None
        places = np.zeros((1,) * len(box), np.int64)
        for axis, (part, stride) in enumerate(zip(box, self._strides(), strict=True)):
            along = np.arange(part.start, part.stop, dtype=np.int64) * stride
            places = places + along.reshape([-1 if axis == at else 1 for at in range(len(box))])
        return places >= present

    def _strides(self) -> tuple[int, ...]:
        return tuple(math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))


def row_block(size: tuple[int, int], pixel_bytes: int) -> tuple[int, int]:
    """Rows, all of their columns, that are read in one go where rows lie one after another.

    Args:
        size: height and width.
        pixel_bytes: of one pixel.

    Example:
        >>> row_block((20_000, 20_000), 3)
        (69, 20000)
    """
    rows = _BLOCK_BYTES // max(size[1] * pixel_bytes, 1)
    return min(size[0], max(_LEAST_ROWS, min(rows, _MOST_ROWS))), size[1]
