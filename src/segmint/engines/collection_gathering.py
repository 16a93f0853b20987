"""Images put together from all that was named, each once."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segmint.engines.collection_storage import StoredImages, split
from segmint.engines.collection_table import is_table, read_table
from segmint.images.collect import IMAGE_SUFFIXES, named_images
from segmint.images.folder_listing import folder_prefix
from segmint.images.zarr_folders import is_zarr
from segmint.images.zarr_images import zarr_images

_LOOKED_UP = 10_000
"""Folders whose links are followed to know a file again; in others it goes by its path."""
_DIGEST = 16


@dataclass(frozen=True)
class Gathered:
    """What was named."""

    images: StoredImages
    """All of it."""
    rows: Sequence[int]
    """Which of them are meant: the first of those that are one file."""
    tables: tuple[str, ...]
    """Lists and tables among what was named."""


def gather(
    inputs: Sequence[str], *, recursive: bool, here: str, without: str | None = None
) -> Gathered:
    """The images of files, folders, patterns, lists and tables, in order.

    Args:
        inputs: at least one.
        recursive: look into folders inside folders.
        here: folder that relative paths start from.
        without: a folder whose files no folder or pattern gives.

    Raises:
        InputError: when one is missing, names no image, or cannot be read.
        UsageError: for Parquet where that is not installed.
    """
    images, seen = StoredImages(), _Seen(here)
    tables = tuple(item for item in inputs if is_table(item))
    # A folder alone names no file twice.
    alone = len(inputs) == 1 and not tables and Path(inputs[0]).is_dir()
    for item in inputs:
        scanned = None if item in tables or not Path(item).is_dir() else folder_prefix(item)
        found = _from_table(item) if item in tables else _from_files(item, recursive, without)
        for image in found:
            images.add(*image)
            if not alone:
                seen.add(*image, scanned=scanned)
    return Gathered(images, range(len(images)) if alone else seen.first(), tables)


def _from_table(table: str) -> Iterator[tuple[str, ...]]:
    for row in read_table(table):
        yield (*split(row.image), row.name, row.region, row.scribbles)


def _from_files(item: str, recursive: bool, without: str | None) -> Iterator[tuple[str, ...]]:
    for path in named_images(item, recursive=recursive, without=without):
        folder, name = split(path)
        if name in (".", ".."):
            folder, name = split(os.path.realpath(path))
        if name.lower().endswith(IMAGE_SUFFIXES) or not is_zarr(path):
            yield folder, name
            continue
        for place in zarr_images(path):
            yield folder, name + (os.sep + place.replace("/", os.sep) if place else "")


class _Seen:
    """Which images are the same, whatever they were called."""

    def __init__(self, here: str) -> None:
        self._here = here
        self._digests = bytearray()
        self._real: dict[str, str] = {}
        self._looked_up = 0
        self._last = ("", "")

    def add(self, folder: str, name: str, *told: str, scanned: str | None) -> None:
        """Add an image; it is the same as another if all that is told of it is the same, too."""
        if folder != self._last[0] or not self._digests:
            self._last = folder, self._real_folder(folder, scanned)
        text = "\0".join((self._last[1] + name, *told)) if any(told) else self._last[1] + name
        encoded = text.encode("utf-8", "surrogatepass")
        self._digests += hashlib.blake2b(encoded, digest_size=_DIGEST).digest()

    def first(self) -> Sequence[int]:
        """The numbers of the images without those that came before."""
        words = np.frombuffer(self._digests, np.uint64).reshape(-1, 2)
        order = np.lexsort((words[:, 1], words[:, 0]))
        same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
        if not same.any():
            return range(len(words))
        kept = np.delete(np.arange(len(words), dtype=np.uint32), order[1:][same])
        return array("I", kept.tobytes())

    def _real_folder(self, folder: str, scanned: str | None) -> str:
        """Where a folder really lies: looked up where it may be a link, and not too often."""
        known = self._real.get(folder)
        if known is not None:
            return known
        if scanned is not None and folder.startswith(scanned) and folder != scanned:
            # Links inside a folder that is looked through are not followed.
            return self._real_folder(scanned, None) + folder[len(scanned) :]
        whole = os.path.join(self._here, folder)  # noqa: PTH118
        if self._looked_up >= _LOOKED_UP and ".." not in folder:
            return os.path.normpath(whole).rstrip(os.sep) + os.sep
        self._looked_up += 1
        self._real[folder] = os.path.realpath(whole).rstrip(os.sep) + os.sep
        return self._real[folder]
