"""Which folders are Zarr images."""

from __future__ import annotations

import os
from pathlib import Path

ZARR_SUFFIX = ".zarr"
_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def is_zarr(path: str | Path) -> bool:
    """Whether a folder is one Zarr image, or an array in one, by its name or by what is in it."""
    folder = os.fspath(path)
    if not os.path.isdir(folder):  # noqa: PTH112 (asked of every folder: Path is ten times slower)
        return False
    named = folder.rstrip(os.sep).lower().endswith(ZARR_SUFFIX)
    return named or any(
        os.path.isfile(f"{folder}{os.sep}{mark}")  # noqa: PTH113
        for mark in _MARKS
    )
