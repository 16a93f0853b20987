"""What workers that were killed left beside the results: files and folders that are not whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from segmint.runs import BEGUN, remove

_AGE = 3600.0
"""Seconds without a change, after which nobody writes it any more: a file of a result takes
seconds."""


def remove_leftovers(out: Path) -> int:
    """Remove what has been begun in a folder of results and was not changed for an hour.

    Younger ones may be of workers of another part of the collection. Ages are by the clock of the
    file system, whichever machine wrote them.

    Args:
        out: folder of the results.

    Returns:
        How many there were.
    """
    removed = 0
    with suppress(OSError):  # of a folder that cannot be read or written more is heard soon
        now = _now(out)
        for entry in _begun(out):
            with suppress(OSError):  # another command may remove them, too
                if now - entry.stat(follow_symlinks=False).st_mtime > _AGE:
                    remove(Path(entry.path))
                    removed += 1
    return removed


def _begun(out: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(out) as entries:
        yield from (entry for entry in entries if entry.name.startswith(BEGUN))


def _now(out: Path) -> float:
    """What time it is by the clock of the file system, in seconds."""
    with tempfile.NamedTemporaryFile(dir=out, prefix=BEGUN) as file:
        return os.stat(file.name).st_mtime  # noqa: PTH116 (a name, not a path)
