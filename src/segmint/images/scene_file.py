"""Bytes of a file at any place, for several threads."""

from __future__ import annotations

import threading
from pathlib import Path

from segmint.errors import InputError


class SceneFile:
    """A file that stays open and is read by place; nothing of it is mapped into memory.

    Args:
        path: which.

    Raises:
        InputError: when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._handle = path.open("rb", buffering=0)
            self.size = path.stat().st_size
        except OSError as error:
            raise InputError(
                f"{path} cannot be opened ({error.strerror}), accepted is a readable image file: "
                "check the name and its permissions"
            ) from error
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from a place on; fewer where the file ends."""
        data = bytearray(max(min(size, self.size - offset), 0))
        return bytes(data[: self.read_into(offset, memoryview(data))])

    def read_into(self, offset: int, target: memoryview) -> int:
        """Fill as many bytes as the file has from a place on; returns how many.

        Raises:
            InputError: when the disk cannot be read, or the file was cut since it was opened.
        """
        done = 0
        try:
            with self._lock:
                self._handle.seek(offset)
                while done < len(target):
                    count = self._handle.readinto(target[done:])
                    if not count:
                        break
                    done += count
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read at byte {offset} ({error.strerror}), accepted is a "
                "readable image file: check the disk"
            ) from error
        if done < min(len(target), self.size - offset):
            raise InputError(
                f"{self.path} became shorter while it was read, accepted is a file that nobody "
                "writes: begin again when it is whole"
            )
        return done

    def close(self) -> None:
        """Let go of it."""
        self._handle.close()
