"""A second name for a file, so that it need not be written twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def link_file(file: Path, place: Path) -> None:
    """Let a place, where nothing is, hold what a file holds; neither may be written into then.

    Raises:
        OSError: when that cannot be.
    """
    try:
        os.link(file, place)
    except OSError:  # as where folders lie on different disks
        shutil.copyfile(file, place)
