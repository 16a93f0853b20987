"""Which codecs a Zarr array may be stored with: those that can run no code and fill no memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segmint.errors import InputError
from segmint.images.zarr_metadata import ZarrArray

COMPRESSORS = ("blosc", "bz2", "gzip", "lz4", "zlib", "zstd")
"""Codecs that make bytes fewer."""
_OTHERS = ("bitround", "bytes", "crc32c", "delta", "endian", "shuffle", "transpose")
"""Codecs that leave the number of bytes as it is, or almost."""
_SHARDING = "sharding_indexed"
_KINDS = "uif"


@dataclass(frozen=True, kw_only=True)
class ZarrCoding:
    """How an array is stored."""

    dtype: np.dtype[Any]
    compressor: str | None
    """What its chunks were compressed with."""
    index_first: bool
    """Files of many chunks begin with where each lies."""


def coding_of(array: ZarrArray) -> ZarrCoding:
    """How an array is stored, by its metadata alone.

    Raises:
        InputError: for codecs that are not known to be safe, and types that are no real numbers.
    """
    codecs = _codecs(array)
    chain = [name for name, _ in codecs]
    index_first = False
    if _SHARDING in chain:
        shard = dict(codecs)[_SHARDING]
        chain.remove(_SHARDING)
        chain += [*_names(array, shard["codecs"]), *_names(array, shard["index_codecs"])]
        index_first = shard.get("index_location") == "start"
    compressors = [name for name in chain if name in COMPRESSORS]
    unknown = [name for name in chain if name not in (*COMPRESSORS, *_OTHERS)]
    if unknown or len(compressors) > 1:
        raise InputError(
            f"{array.folder} is stored with {', '.join(unknown or compressors)}, accepted are one "
            f"of {', '.join(COMPRESSORS)} and plain filters, which can run no code: save it again "
            "with one of them"
        )
    return ZarrCoding(
        dtype=_dtype(array),
        compressor=compressors[0] if compressors else None,
        index_first=index_first,
    )


def _codecs(array: ZarrArray) -> list[tuple[str, Mapping[str, Any]]]:
    if array.format == 3:
        return _listed(array, array.metadata.get("codecs"))
    compressor = array.metadata.get("compressor")
    filters = array.metadata.get("filters") or []
    if not isinstance(filters, list):
        raise _unreadable(array)
    return _listed(array, [*filters, *([] if compressor is None else [compressor])])


def _listed(array: ZarrArray, codecs: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(codecs, list):
        raise _unreadable(array)
    return [_codec(array, codec) for codec in codecs]


def _codec(array: ZarrArray, codec: Any) -> tuple[str, Mapping[str, Any]]:
    described = {"name": codec} if isinstance(codec, str) else codec
    if not isinstance(described, dict):
        raise _unreadable(array)
    name = described.get("id") if array.format == 2 else described.get("name")
    options = described.get("configuration") or {}
    if not isinstance(name, str) or not isinstance(options, dict):
        raise _unreadable(array)
    if name == _SHARDING and not {"codecs", "index_codecs"} <= set(options):
        raise _unreadable(array)
    return name.removeprefix("numcodecs."), options


def _names(array: ZarrArray, codecs: Any) -> Sequence[str]:
    return [name for name, _ in _listed(array, codecs)]


def _dtype(array: ZarrArray) -> np.dtype[Any]:
    name = array.metadata.get("data_type" if array.format == 3 else "dtype")
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in _KINDS or dtype.itemsize > 8:
        raise InputError(
            f"{array.folder} holds {str(name)[:64]}, accepted are integers and real floating-point "
            "numbers of at most 64 bits: save it again as one of these"
        )
    return dtype


def _unreadable(array: ZarrArray) -> InputError:
    return InputError(
        f"{array.folder} does not say how it is stored, accepted are arrays with a list of "
        "codecs: copy it again or save it anew"
    )
