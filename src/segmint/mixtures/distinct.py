"""The distinct values among pixels, and how often each occurs.

A mixture fitted to the distinct values with their counts as weights is the mixture of all pixels,
and 12 million 8-bit pixels have at most 256 distinct values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from segmint.errors import InputError
from segmint.mixtures.checks import as_array
from segmint.mixtures.standardized import parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Inverse = NDArray[np.int32]

SMALL_TABLE = 16
"""Bits of a code up to which a table of all codes stays in cache."""
LARGE_TABLE = 24
"""Bits of a code up to which a table of all codes is worth its memory."""
MANY = 1 << 20
"""Pixels from which a large table is faster than sorting."""
ROWS = 1 << 16


@overload
def distinct_samples(
    pixels: Any, *, inverse: Literal[True] = True
) -> tuple[NDArray[Any], Counts, Inverse]: ...


@overload
def distinct_samples(pixels: Any, *, inverse: Literal[False]) -> tuple[NDArray[Any], Counts]: ...


def distinct_samples(pixels: Any, *, inverse: bool = True) -> tuple[NDArray[Any], ...]:
    """Each distinct pixel once, in increasing order, with its count.

    8-bit pixels of up to 3 channels and 16-bit ones of 1 channel are counted in a table, without
    sorting (24 bits only from a million pixels on); others are sorted.

    Args:
        pixels: (N, M) or (N,) integers, as numpy array or torch tensor.
        inverse: whether to say which distinct pixel each one is.

    Returns:
        The distinct pixels (n, M) in the type of the input and the byte order of the machine,
        their counts (n,), and with ``inverse`` the index (N,) of each pixel among them.

    Raises:
        InputError: for pixels that are no integers, or none.

    Example:
        >>> import numpy as np
        >>> samples, counts, index = distinct_samples(np.uint8([7, 0, 7, 9]))
        >>> samples[:, 0].tolist(), counts.tolist(), index.tolist()
        ([0, 7, 9], [1, 2, 1], [1, 0, 1, 2])
    """
    array = as_array(pixels)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "biu":
        raise InputError(
            f"pixels are of type {array.dtype} and shape {array.shape}, accepted are integers, "
            "(pixels, channels) or (pixels,), at least one"
        )
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    bits = 8 * array.dtype.itemsize * array.shape[1]
    if bits > 64:
        return _sorted(array, inverse)
    if bits <= SMALL_TABLE or (bits <= LARGE_TABLE and len(array) >= MANY):
        return _counted(array, bits, inverse)
    codes, *rest = _sorted(np.concatenate(list(_codes(array))), inverse)
    return pixels_of(codes, array.dtype, array.shape[1]), *rest


def _sorted(values: NDArray[Any], inverse: bool) -> tuple[NDArray[Any], ...]:
    axis = 0 if values.ndim == 2 else None
    if not inverse:
        return np.unique(values, return_counts=True, axis=axis)
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True, axis=axis)
    return distinct, counts, index.reshape(-1).astype(np.int32)


def _counted(array: NDArray[Any], bits: int, inverse: bool) -> tuple[NDArray[Any], ...]:
    table = _histogram(array, bits)
    codes = np.flatnonzero(table)
    counts = table[codes].astype(np.int64)
    samples = pixels_of(codes, array.dtype, array.shape[1])
    if not inverse:
        return samples, counts
    table[codes] = np.arange(len(codes), dtype=table.dtype)
    index = np.empty(len(array), np.int32)
    for part, chunk in zip(parts(len(array), ROWS), _codes(array), strict=True):
        np.take(table, chunk, out=index[part], mode="clip")
    return samples, counts, index


def _histogram(array: NDArray[Any], bits: int) -> NDArray[np.int32]:
    """How often each code occurs."""
    if bits <= SMALL_TABLE:
        histograms = (np.bincount(chunk, minlength=1 << bits) for chunk in _codes(array))
        return np.asarray(sum(histograms), np.int32)
    import torch

    table = torch.zeros(1 << bits, dtype=torch.int32)
    ones = torch.ones(ROWS, dtype=torch.int32)
    for chunk in _codes(array):
        indices = torch.from_numpy(chunk.astype(np.int32))
        table.index_add_(0, indices, ones[: len(indices)])
    return np.asarray(table.numpy())


def _codes(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Pixels as one unsigned number each, chunk by chunk."""
    for part in parts(len(array), ROWS):
        yield codes_of(array[part])


def codes_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """(n, M) integers of at most 64 bits a pixel as one unsigned number each.

    The first channel is the highest part. The sign bit is flipped, so that codes are in the order
    of the values.
    """
    bits, channels = 8 * pixels.dtype.itemsize, pixels.shape[1]
    if pixels.dtype == np.uint8 and channels == 3:
        return _codes_of_rgb(pixels)
    unsigned = np.dtype(f"u{pixels.dtype.itemsize}")
    wide = np.dtype(f"u{next(size for size in (1, 2, 4, 8) if 8 * size >= bits * channels)}")
    flip = unsigned.type(_sign_bit(pixels.dtype))
    codes = np.zeros(len(pixels), wide)
    for column in np.moveaxis(pixels, 1, 0):
        values = np.ascontiguousarray(column).view(unsigned) ^ flip
        codes = values.astype(wide) if channels == 1 else codes << wide.type(bits) | values
    return codes


def _codes_of_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """By copying bytes, three times as fast as by shifting numbers."""
    four = np.zeros((len(pixels), 4), np.uint8)
    for place, column in enumerate(np.moveaxis(pixels, 1, 0), start=1):
        four[:, place] = column
    codes: NDArray[np.uint32] = four.view(">u4")[:, 0].astype(np.uint32)
    return codes


def pixels_of(codes: NDArray[Any], dtype: np.dtype[Any], channels: int) -> NDArray[Any]:
    """(n, M) pixels of codes (n,) as :func:`codes_of` makes them."""
    bits = 8 * dtype.itemsize
    unsigned = np.dtype(f"u{dtype.itemsize}")
    wide = codes.astype(np.uint64)
    shifts = np.arange(channels - 1, -1, -1, dtype=np.uint64) * np.uint64(bits)
    values = (wide[:, None] >> shifts).astype(unsigned) ^ unsigned.type(_sign_bit(dtype))
    return np.ascontiguousarray(values).view(dtype)


def _sign_bit(dtype: np.dtype[Any]) -> int:
    return 1 << (8 * dtype.itemsize - 1) if dtype.kind == "i" else 0
