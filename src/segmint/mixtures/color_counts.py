"""How often each color occurs, counted as pixels pass by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.mixtures.distinct import LARGE_TABLE, ROWS, codes_of, pixels_of
from segmint.mixtures.standardized import parts

_FULL = 1 << 30
"""Pixels after which counts go to a wider table."""


class ColorCounts:
    """Counts of all pixels that were added, color by color.

    The memory does not grow with the pixels: 4 bytes a color that the type can hold, at most 64
    MiB, and after a thousand million pixels 12.

    Args:
        dtype: of the pixels, integers.
        channels: with which a pixel has at most 24 bits.

    Example:
        >>> counts = ColorCounts(np.dtype(np.uint8), 1)
        >>> counts.add(np.uint8([[7], [0], [7]]))
        >>> colors, number = counts.result()
        >>> colors[:, 0].tolist(), number.tolist()
        ([0, 7], [1, 2])
    """

    def __init__(self, dtype: np.dtype[Any], channels: int) -> None:
        import torch

        self._dtype, self._channels = dtype.newbyteorder("="), channels
        self._table = torch.zeros(1 << bits_of(dtype, channels), dtype=torch.int32)
        self._ones = torch.ones(ROWS, dtype=torch.int32)
        self._waiting = 0
        self._wide: NDArray[np.int64] | None = None

    @staticmethod
    def can_count(dtype: np.dtype[Any], channels: int) -> bool:
        """Whether a table of all colors of a type is worth its memory."""
        return dtype.kind in "ui" and bits_of(dtype, channels) <= LARGE_TABLE

    def add(self, pixels: NDArray[Any]) -> None:
        """Count (n, C) pixels."""
        import torch

        pixels = pixels.astype(self._dtype, copy=False)
        for part in parts(len(pixels), ROWS):
            index = torch.from_numpy(codes_of(pixels[part]).astype(np.int32, copy=False))
            self._table.index_add_(0, index, self._ones[: len(index)])
            self._waiting += len(index)
        if self._waiting >= _FULL:
            self._widen()

    def result(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Each color that occurs, (n, C) in increasing order, and how often, (n,)."""
        table = self._table.numpy()
        if self._wide is not None:
            self._widen()
            table = self._wide
        codes = np.flatnonzero(table)
        return pixels_of(codes, self._dtype, self._channels), table[codes].astype(np.int64)

    def _widen(self) -> None:
        if self._wide is None:
            self._wide = np.zeros(len(self._table), np.int64)
        self._wide += self._table.numpy()
        self._table.zero_()
        self._waiting = 0


def bits_of(dtype: np.dtype[Any], channels: int) -> int:
    """Bits of a pixel."""
    return int(8 * dtype.itemsize * channels)
