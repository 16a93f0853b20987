"""What to say where the blocks or the files of a scene cannot be written."""

from __future__ import annotations

import errno
from pathlib import Path

from segmint.errors import OutputError


def write_failure(path: Path, error: OSError) -> OutputError:
    """The error in one sentence; blocks that are finished stay in any case."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"cannot write {path}: the disk is full; what is finished is kept, so free some space "
            "and run the same again to go on"
        )
    return OutputError(
        f"cannot write {path}: {error.strerror or error}; mend its permissions, or write to "
        "another place"
    )
