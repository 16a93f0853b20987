"""A file of lines that only grows, by whole lines, under one writer."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segmint.errors import OutputError
from segmint.inference.write_failure import write_failure
from segmint.locking import is_ours

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
_SYNC_SECONDS = 1.0
_LONGEST_SYNC_SECONDS = 30.0
_SYNC_SHARE = 0.01
"""Of the time that may go into forcing lines to the disk."""


class GrowingFile:
    """Lines handed to the system one by one, so that kill -9 loses none that was appended.

    About every second the file is forced to the disk, less often where that takes longer than a
    hundredth of the time, so a power failure loses the lines of the last seconds (30 at most, on
    a disk that needs long). What cannot be written whole is cut off again.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._end = os.fstat(handle).st_size
        self._is_torn = False
        self._synced, self._pause = time.monotonic(), _SYNC_SECONDS

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self._end

    def touched(self) -> int:
        """What time it is, in nanoseconds, by the clock of the file system of this file."""
        with _said(self.path):
            os.utime(self._handle)
            return os.fstat(self._handle).st_mtime_ns

    def append(self, line: bytes) -> None:
        """Add a whole line.

        Raises:
            OutputError: when it cannot be written; the lines before it stay.
        """
        with _said(self.path):
            if self._is_torn:
                os.ftruncate(self._handle, self._end)
            self._is_torn = True
            try:
                _write_whole(self._handle, line)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._handle, self._end)
                raise
            self._end += len(line)
            self._is_torn = False
            if time.monotonic() - self._synced >= self._pause:
                self.sync()

    def sync(self) -> None:
        """Force what was appended to the disk."""
        start = time.monotonic()
        with _said(self.path):
            os.fsync(self._handle)
        self._synced = time.monotonic()
        wanted = max(_SYNC_SECONDS, (self._synced - start) / _SYNC_SHARE)
        self._pause = min(_LONGEST_SYNC_SECONDS, wanted)

    def cut(self, end: int) -> None:
        """Let only so many bytes stay."""
        if end < self._end:
            with _said(self.path):
                os.ftruncate(self._handle, end)
            self._end = end

    def replace(self, lines: Iterable[bytes]) -> None:
        """Let other lines stand in its place, all of them or, when that fails, none.

        Raises:
            OutputError: when they cannot be written; then the file is as it was.
        """
        other = self.path.with_name(f".partial-{self.path.name}")
        with _said(self.path):
            other.unlink(missing_ok=True)
            handle = os.open(other, _FLAGS | os.O_EXCL, 0o666)
            try:
                is_ours(handle)  # before it has the name by which others find it
                with os.fdopen(handle, "wb", closefd=False) as file:
                    file.writelines(lines)
                os.fsync(handle)
                other.replace(self.path)
            except BaseException:
                os.close(handle)
                other.unlink(missing_ok=True)
                raise
            os.close(self._handle)
            self._handle, self._end = handle, os.fstat(handle).st_size
            _sync_folder(self.path.parent)

    def close(self) -> None:
        """Force it to the disk and let others write."""
        try:
            self.sync()
        finally:
            os.close(self._handle)


@contextmanager
def growing_file(path: Path) -> Iterator[GrowingFile]:
    """The file, made when missing, that no other process writes meanwhile.

    Raises:
        OutputError: when another process does, or it is no file, or cannot be written.
    """
    with _said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = GrowingFile(path, _opened(path))
    try:
        yield file
    finally:
        file.close()


def _opened(path: Path) -> int:
    """A locked handle of the file that has this name, also where it is replaced meanwhile."""
    while True:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(
                f"{path} is a link, a folder or a device, where the manifest of the results is to "
                "be: give another --out, or move it away"
            )
        handle = os.open(path, _FLAGS, 0o666)
        try:
            if not is_ours(handle):
                raise OutputError(
                    f"another process is writing {path}: wait until it has ended, or give another "
                    "--out"
                )
            if _has_name(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _has_name(handle: int, path: Path) -> bool:
    """Whether a name still is that of an open file."""
    ours = os.fstat(handle)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(ours, found) and stat.S_ISREG(ours.st_mode)


def _write_whole(handle: int, data: bytes) -> None:
    """All of it, however the system divides it."""
    written = os.write(handle, data)
    while written < len(data):
        written += os.write(handle, data[written:])


def _sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Failures of the system in one sentence."""
    try:
        yield
    except OSError as error:
        raise write_failure(path, error) from error
