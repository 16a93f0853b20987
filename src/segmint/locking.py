"""One writer a folder: a lock that the system lets go of when its process ends, however it does."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segmint.errors import OutputError

_BETWEEN = 0.05
"""Seconds from one attempt to the next."""


@contextmanager
def only_writer(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Within it no other process writes into the folder by this lock.

    Where the system or the file system has no such locks nothing is held.

    Args:
        folder: that exists.
        patience: seconds to wait for another process to end.

    Raises:
        OutputError: when another process holds the folder.
    """
    locks = _locks()
    if locks is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + patience
        while not _taken(locks, handle):
            if time.monotonic() >= end:
                raise OutputError(
                    f"another process is writing into {folder}: wait until it has ended, or give "
                    "another --out"
                )
            time.sleep(_BETWEEN)
        yield
    finally:
        os.close(handle)


def is_ours(handle: int) -> bool:
    """Whether an open file is locked by this process alone now, until the file is closed.

    On NFS only what is open for writing can be locked, so folders are not; a file is, also against
    processes of other machines. Where there are no such locks the answer is yes.

    Args:
        handle: of a file that is open for reading and writing.
    """
    locks = _locks()
    return locks is None or _taken(locks, handle)


def _taken(locks: Any, handle: int) -> bool:
    """Whether the lock is ours now; also where the file system knows none."""
    try:
        locks.flock(handle, locks.LOCK_EX | locks.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _locks() -> Any | None:
    """The module of locks, which not every system has."""
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
