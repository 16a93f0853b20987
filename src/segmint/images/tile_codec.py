"""Tiles of numbers as the bytes of a deflated TIFF tile, the same on every machine."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.label_levels import TILE

_LEVEL = 1
_WINDOW_BITS = 15
_MEMORY = 9


def deflated(tile: NDArray[Any]) -> bytes:
    """The tile in the zlib format, little-endian.

    8-bit ids come in runs: looking for nothing else takes half the time of the quickest level and
    leaves less. Everything longer gets that level.

    Args:
        tile: (h, w), at most ``TILE`` a side; it is filled up at its end with the greatest value,
            floats with 0.

    Example:
        >>> inflated(deflated(np.zeros((2, 3), np.uint8)), np.dtype(np.uint8))[1:3, 2:4].tolist()
        [[0, 255], [255, 255]]
    """
    strategy = zlib.Z_RLE if tile.itemsize == 1 else zlib.Z_DEFAULT_STRATEGY
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY, strategy)
    whole = _filled(tile).astype(tile.dtype.newbyteorder("<"), copy=False)
    return stream.compress(whole.tobytes()) + stream.flush()


def inflated(data: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """(TILE, TILE) of what :func:`deflated` gave.

    Raises:
        ValueError: for other bytes.
    """
    try:
        values = np.frombuffer(zlib.decompress(data), dtype=dtype.newbyteorder("<"))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return values.reshape(TILE, TILE).astype(dtype, copy=False)


def _filled(tile: NDArray[Any]) -> NDArray[Any]:
    if tile.shape == (TILE, TILE):
        return tile
    rest = 0 if tile.dtype.kind == "f" else np.iinfo(tile.dtype).max
    whole = np.full((TILE, TILE), rest, tile.dtype)
    whole[: tile.shape[0], : tile.shape[1]] = tile
    return whole
