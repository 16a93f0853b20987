"""A journal of finished blocks that outlives whatever stops the process."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.inference.write_failure import write_failure

_MAGIC = b"SGB1"
_HEAD = struct.Struct("<4sIIQI")
"""Magic, index, number of parts, bytes after the head, their checksum."""
_CHECK = struct.Struct("<I")
"""Checksum of the head."""
_LENGTH_BYTES = 8
_PIECE = 1 << 20
_SYNC_SECONDS = 5.0

Parts = Sequence[bytes]


class Spool:
    """An append-only file of records, each an index and some parts of bytes.

    A record is handed to the system as soon as it is appended, so that kill -9 loses at most the
    one being written; every five seconds, and on closing, the file is forced to the disk, so that
    a power failure loses little more. Opening it again drops what is torn or damaged, and all that
    follows. Memory holds the places of the parts and none of them.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            OutputError: when that cannot be done.
        """
        self.path = path
        self._places: dict[int, NDArray[np.int64]] = {}
        self._synced = time.monotonic()
        try:
            path.touch()
            self._file = path.open("r+b", buffering=0)
            self._end = self._recovered()
            self._file.truncate(self._end)
        except OSError as error:
            raise write_failure(self.path, error) from error

    @property
    def done(self) -> Collection[int]:
        """Indices of the records that are whole."""
        return self._places.keys()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._end

    def append(self, index: int, parts: Parts) -> None:
        """Add a record.

        Raises:
            OutputError: when it cannot be written; the records before it stay.
        """
        lengths = np.fromiter(map(len, parts), "<u8", len(parts)).tobytes()
        check = _checksum((lengths, *parts))
        length = len(lengths) + sum(map(len, parts))
        head = _HEAD.pack(_MAGIC, index, len(parts), length, check)
        try:
            self._file.seek(self._end)
            for piece in (head, _CHECK.pack(zlib.crc32(head)), lengths, *parts):
                self._write(piece)
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                self._sync()
        except OSError as error:
            with suppress(OSError):  # what is torn goes when the file is opened again
                self._file.truncate(self._end)
            raise write_failure(self.path, error) from error
        self._end = self._placed(index, self._end + _HEAD.size + _CHECK.size, lengths)

    def read(self, index: int, part: int) -> bytes:
        """One part of a record.

        Raises:
            InputError: when the file was cut meanwhile.
        """
        start, end = self._places[index][part : part + 2].tolist()
        self._file.seek(start)
        data = self._file.read(end - start)
        if len(data) != end - start:
            raise InputError(
                f"{self.path} was changed meanwhile: remove its folder and start again"
            )
        return data

    def clear(self) -> None:
        """Forget all records."""
        self._places.clear()
        self._end = 0
        self._file.truncate(0)

    def close(self) -> None:
        """Force what was written to the disk, and let go of the file."""
        if not self._file.closed:
            try:
                self._sync()
            finally:
                self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recovered(self) -> int:
        """Find the records that are whole; returns where they end."""
        end, size = 0, self.path.stat().st_size
        while True:
            self._file.seek(end)
            head = self._file.read(_HEAD.size + _CHECK.size)
            if len(head) < _HEAD.size + _CHECK.size:
                return end
            magic, index, count, length, check = _HEAD.unpack_from(head)
            start = end + len(head)
            honest = _CHECK.unpack_from(head, _HEAD.size)[0] == zlib.crc32(head[: _HEAD.size])
            if magic != _MAGIC or not honest or start + length > size:
                return end
            lengths = self._file.read(count * _LENGTH_BYTES)
            rest = length - len(lengths)
            if _checksum(self._pieces(lengths, rest)) != check:
                return end
            end = self._placed(index, start, lengths)

    def _pieces(self, lengths: bytes, rest: int) -> Iterable[bytes]:
        yield lengths
        while rest > 0:
            piece = self._file.read(min(rest, _PIECE))
            if not piece:
                return
            yield piece
            rest -= len(piece)

    def _placed(self, index: int, start: int, lengths: bytes) -> int:
        """Remember where the parts of a record lie; returns where it ends."""
        first = start + len(lengths)
        ends = first + np.cumsum(np.frombuffer(lengths, "<u8").astype(np.int64))
        self._places[index] = np.concatenate([[first], ends])
        return int(self._places[index][-1])

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def _checksum(pieces: Iterable[bytes]) -> int:
    check = 0
    for piece in pieces:
        check = zlib.crc32(piece, check)
    return check
