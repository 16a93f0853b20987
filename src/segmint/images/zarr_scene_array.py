"""An array in a Zarr folder, chunk by chunk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segmint.errors import InputError
from segmint.images.decoding import Pixels, Request, decoding, quiet
from segmint.images.scene_blocks import BadBlockError
from segmint.images.zarr_labels import check_zarr
from segmint.images.zarr_metadata import ZarrArray
from segmint.images.zarr_scene_codecs import ZarrCoding, coding_of
from segmint.images.zarr_scene_store import guarded_store


class StoredChunks:
    """Chunks of an array, each read and decoded when it is asked for.

    Args:
        request: for messages, and the largest chunk that may be decoded.
        array: which.

    Raises:
        InputError: when it is damaged, not made of real numbers, stored with codecs that are not
            known to be safe, or in chunks larger than the limit.
        UsageError: where Zarr is not installed.
    """

    def __init__(self, request: Request, array: ZarrArray) -> None:
        check_zarr()
        self._request = request
        coding = coding_of(array)
        self.dtype = coding.dtype
        self.shape, self.chunk = _grid(request, array)
        self._array = _opened(request, array, coding, self.chunk_bytes)
        if self._array.shape != self.shape or self._array.chunks != self.chunk:
            raise _unusable(array)
        if self._array.shards == self.chunk:
            raise InputError(
                f"{array.folder} stores a single chunk in each shard, accepted are several, or no "
                "shards: save it again so"
            )

    @property
    def chunk_bytes(self) -> int:
        """Of a decoded chunk."""
        return math.prod(self.chunk) * self.dtype.itemsize

    def read(self, place: tuple[int, ...]) -> Pixels:
        """One chunk, cut to the array.

        Args:
            place: its number along each axis.

        Raises:
            BadBlockError: when it is damaged.
        """
        index = tuple(
            slice(number * length, (number + 1) * length)
            for number, length in zip(place, self.chunk, strict=True)
        )
        try:
            with decoding(self._request, "Zarr"):
                values = np.asarray(self._array[index])
        except BadBlockError:
            raise
        except InputError as error:
            raise BadBlockError("cannot be decoded: it is damaged or cut short") from error
        return values.astype(self.dtype.newbyteorder("="), copy=False)


def _grid(request: Request, array: ZarrArray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape, and shape of a chunk."""
    metadata = array.metadata
    shape = _lengths(array, metadata.get("shape"))
    if array.format == 2:
        chunk = _lengths(array, metadata.get("chunks"))
    else:
        chunk = _lengths(array, _configured(metadata.get("chunk_grid"), "chunk_shape"))
        for codec in metadata.get("codecs") or ():
            inner = _configured(codec, "chunk_shape")
            chunk = chunk if inner is None else _lengths(array, inner)
    if len(chunk) != len(shape):
        raise _unusable(array)
    pixels = math.prod(chunk)
    if pixels > request.max_pixels:
        raise InputError(
            f"{array.folder} stores chunks of {' x '.join(map(str, chunk))}, which are decoded "
            f"whole, accepted are at most {request.max_pixels} values: save it in smaller chunks, "
            "or raise --max-pixels if you trust it"
        )
    return shape, chunk


def _configured(described: Any, name: str) -> Any:
    options = described.get("configuration") if isinstance(described, dict) else None
    return options.get(name) if isinstance(options, dict) else None


def _lengths(array: ZarrArray, listed: Any) -> tuple[int, ...]:
    plain = isinstance(listed, list) and all(type(length) is int for length in listed)
    if not plain or not listed or min(listed) < 1:
        raise _unusable(array)
    return tuple(listed)


def _opened(request: Request, array: ZarrArray, coding: ZarrCoding, chunk_bytes: int) -> Any:
    import zarr

    with decoding(request, "Zarr"), quiet("zarr"):
        store = guarded_store(array, coding, chunk_bytes)
        return zarr.open_array(store, mode="r", zarr_format=3 if array.format == 3 else 2)


def _unusable(array: ZarrArray) -> InputError:
    return InputError(
        f"{array.folder} has no usable shape and chunks in its metadata, accepted are whole Zarr "
        "arrays of at least one value: copy it again or save it anew"
    )
