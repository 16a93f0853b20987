"""Which folders are Zarr images."""

from __future__ import annotations

from pathlib import Path

ZARR_SUFFIX = ".zarr"
_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def is_zarr(path: Path) -> bool:
    """Whether a folder is one Zarr image, or an array in one, by its name or by what is in it."""
    if not path.is_dir():
        return False
    named = path.name.lower().endswith(ZARR_SUFFIX)
    return named or any((path / mark).is_file() for mark in _MARKS)
