"""How far compressed bytes would grow, so that no small file fills the memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

_STEP = 1 << 20
_BLOSC_HEADER = 16
_BLOSC_SIZE, _BLOSC_STORED = slice(4, 8), slice(12, 16)
_LZ4_SIZE = slice(0, 4)
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SIZE_BYTES = {0: 0, 1: 2, 2: 4, 3: 8}
_ZLIB_OR_GZIP = 47
"""Window bits that let zlib tell the two apart."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def grows_beyond(codec: str, data: bytes, limit: int) -> bool:
    """Whether decompressed bytes are more than a limit, found without keeping them.

    Bytes that are damaged do not count as growing where their decoder will say so.

    Args:
        codec: ``zlib``, ``gzip``, ``bz2`` and ``lzma`` are decompressed step by step; ``blosc``,
            ``lz4`` and ``zstd`` say their size in their first bytes, as numcodecs writes them.
        data: compressed.
        limit: bytes.

    Raises:
        ValueError: for damaged bytes that a decoder would not notice.

    Example:
        >>> grows_beyond("zlib", zlib.compress(bytes(1000)), 999)
        True
    """
    if codec in _STEPPED:
        try:
            return _stepped(codec, data, limit)
        except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
            return False
    size = _DECLARED[codec](data)
    return _unsaid_zstd(data, limit) if size is None else size > limit


def _zlib(data: bytes) -> tuple[_Decompressor, Callable[[bytes], tuple[bytes, bytes]]]:
    stream = zlib.decompressobj(wbits=_ZLIB_OR_GZIP)

    def step(more: bytes) -> tuple[bytes, bytes]:
        return stream.decompress(more, _STEP), stream.unconsumed_tail

    return stream, step


def _bz2(data: bytes) -> tuple[_Decompressor, Callable[[bytes], tuple[bytes, bytes]]]:
    stream = bz2.BZ2Decompressor()
    return stream, lambda more: (stream.decompress(more, _STEP), b"")


def _lzma(data: bytes) -> tuple[_Decompressor, Callable[[bytes], tuple[bytes, bytes]]]:
    stream = lzma.LZMADecompressor()
    return stream, lambda more: (stream.decompress(more, _STEP), b"")


_STEPPED = {"zlib": _zlib, "gzip": _zlib, "bz2": _bz2, "lzma": _lzma}


def _stepped(codec: str, data: bytes, limit: int) -> bool:
    total = 0
    while data:
        stream, step = _STEPPED[codec](data)
        rest = data
        while not stream.eof:
            grown, rest = step(rest)
            total += len(grown)
            if total > limit:
                return True
            if not grown and not rest and not stream.eof:
                return False
        data = stream.unused_data.lstrip(b"\0")
    return False


def _blosc_size(data: bytes) -> int:
    """By the header of c-blosc, which reads beyond data that are shorter than they say."""
    whole = len(data) >= _BLOSC_HEADER
    if not whole or int.from_bytes(data[_BLOSC_STORED], "little") > len(data):
        raise ValueError("cut short")
    return int.from_bytes(data[_BLOSC_SIZE], "little")


def _lz4_size(data: bytes) -> int | None:
    return int.from_bytes(data[_LZ4_SIZE], "little")


def _zstd_size(data: bytes) -> int | None:
    """By RFC 8878, section 3.1.1.1; None where the frame does not say."""
    if data[:4] != _ZSTD_MAGIC or len(data) < 5:
        return 0
    descriptor = data[4]
    single = bool(descriptor & 0x20)
    flag = descriptor >> 6
    length = 1 if flag == 0 and single else _ZSTD_SIZE_BYTES[flag]
    if length == 0:
        return None
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    start = 5 + (not single) + dictionary
    size = int.from_bytes(data[start : start + length], "little")
    return size + 256 if length == 2 else size


def _unsaid_zstd(data: bytes, limit: int) -> bool:
    from numcodecs import zstd

    try:
        zstd.decompress(data, bytearray(limit))
    except RuntimeError:
        return True
    return False


_DECLARED: dict[str, Callable[[bytes], int | None]] = {
    "blosc": _blosc_size,
    "lz4": _lz4_size,
    "zstd": _zstd_size,
}
