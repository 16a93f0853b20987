"""The images in a folder in natural order, as plain texts: a folder may hold millions."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from segmint.images.zarr_folders import is_zarr

_DIGITS = re.compile(r"\d+")
_MARKS_OF_RESULT = ("result.json", "components.csv")
"""Beside each other in a folder that segmint wrote for an image."""


def list_images(
    folder: str | Path,
    suffixes: tuple[str, ...],
    *,
    recursive: bool = False,
    matching: Callable[[str], object] | None = None,
    without: str | None = None,
) -> Iterator[str]:
    """Paths of the image files and Zarr images in a folder, in natural order.

    Hidden ones are left out, and so are folders inside folders that are links or hold results:
    what a command wrote is no image of the next. What is held at a time are the names in one folder
    and in those around it.

    Args:
        folder: that stands before each name.
        suffixes: of image files, in small letters.
        recursive: look into folders inside folders, except into Zarr images.
        matching: false for names in the folder that are left out.
        without: a folder that is left out, should it lie inside.

    Raises:
        OSError: for a folder that cannot be read.
    """
    prefix = folder_prefix(folder)
    left_out = None if without is None else inside_of(prefix, without)
    return _Listing(suffixes, recursive, left_out).under(prefix, matching)


def folder_prefix(folder: str | Path) -> str:
    """What stands before the names in a folder: nothing for the folder one is in."""
    text = str(Path(folder))
    if text == ".":
        return ""
    return text if text.endswith(os.sep) else text + os.sep


def inside_of(prefix: str, path: str | Path) -> str | None:
    """What a path is called from a folder that it lies in, whatever links lead there.

    Args:
        prefix: the folder, as :func:`folder_prefix` gives it.
        path: of anything; it need not be there.

    Returns:
        The prefix and the rest of the path; None when it does not lie inside.
    """
    folder = os.path.join(os.path.realpath(prefix or "."), "")  # noqa: PTH118
    real = os.path.realpath(path)
    return prefix + real[len(folder) :] if real.startswith(folder) else None


def natural_text(text: str) -> str:
    """A text that sorts as :func:`segmint.images.natural_key` does, in a tenth of its memory.

    Args:
        text: without NUL, as in paths.

    Example:
        >>> sorted(["cell10", "Cell9", "cell009"], key=natural_text)
        ['cell009', 'Cell9', 'cell10']
    """
    return _DIGITS.sub(_sortable, text.casefold())


def _sortable(digits: re.Match[str]) -> str:
    """The longer number is the larger; NUL, as nothing is smaller, ends what stands before."""
    number = str(int(digits[0]))
    return f"\0{chr(len(number))}{number}{digits[0]}\0"


@dataclass(frozen=True)
class _Listing:
    suffixes: tuple[str, ...]
    recursive: bool
    left_out: str | None = None

    def under(self, prefix: str, matching: Callable[[str], object] | None = None) -> Iterator[str]:
        names = sorted(self._entries(prefix, matching))
        names.sort(key=natural_text)
        for _, alike in groupby(names, key=str.casefold):
            # Folders whose names differ in case alone sort as if they were one.
            inside = [self._images(prefix + name) for name in alike]
            if len(inside) == 1:
                yield from inside[0]
            else:
                yield from heapq.merge(*inside, key=lambda path: (natural_text(path), path))

    def _images(self, path: str) -> Iterator[str]:
        return self.under(path) if path.endswith(os.sep) else iter((path,))

    def _entries(
        self, prefix: str, matching: Callable[[str], object] | None = None
    ) -> Iterator[str]:
        """Names of images, and of folders to look into with a separator behind them."""
        with os.scandir(prefix or ".") as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or (matching is not None and not matching(name)):
                    continue
                if name.lower().endswith(self.suffixes) and _is_file(entry):
                    yield name
                elif _is_folder(entry):
                    if is_zarr(entry.path):
                        yield name
                    elif self.recursive and self._is_looked_into(entry, prefix + name):
                        yield name + os.sep

    def _is_looked_into(self, entry: os.DirEntry[str], path: str) -> bool:
        return not entry.is_symlink() and path != self.left_out and not _is_result(path)


def _is_result(folder: str) -> bool:
    return all(
        os.path.isfile(f"{folder}{os.sep}{mark}")  # noqa: PTH113
        for mark in _MARKS_OF_RESULT
    )


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return Path(entry.path).is_file()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return Path(entry.path).is_dir()
