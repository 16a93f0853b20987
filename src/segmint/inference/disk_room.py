"""Whether there is room on the disk for what shall be written."""

from __future__ import annotations

import shutil
from pathlib import Path

from segmint.datasets.available_memory import in_gibibytes
from segmint.errors import OutputError


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse work whose files would not fit on the disk, before it begins.

    Args:
        folder: where they shall be; it need not exist.
        needed: bytes at the most.
        what: that needs them, the beginning of the sentence.

    Raises:
        OutputError: says in GiB what is needed and what is free.
    """
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OutputError(
            f"{what} needs up to {in_gibibytes(needed)} in {folder}, free are "
            f"{in_gibibytes(free)}: free some space or write to another place"
        )
