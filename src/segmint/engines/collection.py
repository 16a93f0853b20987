"""From what a user names to a stream of images, each with a name for its result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

from segmint.engines.collection_gathering import gather
from segmint.engines.collection_given import check_given_names
from segmint.engines.collection_names import CollectionNames
from segmint.engines.collection_storage import StoredImages
from segmint.engines.item import Item, made_from
from segmint.engines.part import Part
from segmint.errors import UsageError

_SHOWN = 3
_TOGETHER = 1024


class Collection:
    """Images in order, many times iterable; a million of them take some 50 MB.

    ``len`` and what it gives are of the part; numbers, names and ``identity`` are of the whole.

    Args:
        images: all that were named.
        rows: which of them are meant, the others being named twice.
        here: folder that relative paths start from.
        part: which of them are given; None gives all.
    """

    notes: tuple[str, ...]
    """Sentences for the user."""

    def __init__(
        self, images: StoredImages, rows: Sequence[int], here: str, part: Part | None = None
    ) -> None:
        self._images, self._rows = images, rows
        self._names = CollectionNames(images, rows, here)
        self.part = part or Part(1, 1)
        self.notes = tuple(self._noted())

    @property
    def whole(self) -> int:
        """How many images there are in all parts."""
        return len(self._rows)

    def __len__(self) -> int:
        return len(self.part.numbers(self.whole))

    def __iter__(self) -> Iterator[Item]:
        return map(self._item, self.part.numbers(self.whole))

    @cached_property
    def identity(self) -> str:
        """Of the images and further files as they were named, of results' names, and the order."""
        digest = hashlib.blake2b(digest_size=16)
        numbers = iter(range(self.whole))
        while some := list(islice(numbers, _TOGETHER)):
            told = (f"{each.name}\0{made_from(each)}\0" for each in map(self._item, some))
            digest.update("".join(told).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _item(self, number: int) -> Item:
        row = int(self._rows[number])
        return Item(
            number=number,
            image=self._images.path(row),
            name=self._names[number],
            region=self._images.regions.get(row) or None,
            scribbles=self._images.scribbles.get(row) or None,
        )

    def _noted(self) -> Iterator[str]:
        twice = len(self._images) - self.whole
        if twice:
            images = "image was" if twice == 1 else "images were"
            yield f"{twice} {images} named before and taken once"
        apart = self._names.told_apart()
        if len(apart):
            shown = ", ".join(self._names[each] for each in apart[:_SHOWN].tolist())
            more = ", ..." if len(apart) > _SHOWN else ""
            images = (
                "image shares a name with another and is"
                if len(apart) == 1
                else ("images share a name with another and are")
            )
            yield f"{len(apart)} {images} told apart: {shown}{more}"
        if not len(self):
            yield f"part {self.part} is empty: there are {self.whole} images in all"


def open_collection(
    inputs: Sequence[str],
    *,
    recursive: bool = False,
    base: Path | None = None,
    part: Part | None = None,
    results: str | Path | None = None,
) -> Collection:
    """The images meant by files, folders, patterns, lists, tables and Zarr folders.

    A file is taken whatever its name, except that ``.txt``, ``.csv`` and ``.parquet`` are read for
    the names of images: a path a line, or columns ``image`` (or ``path``, ``file``), ``name``,
    ``region`` and ``scribbles``. Paths in them start from their folder. Folders and patterns give
    the images that :func:`segmint.images.collect_images` gives, in its order; of a Zarr folder that
    holds several images, each is one. A file named twice is taken once.

    Args:
        inputs: what was named; nothing stands for ``base``.
        recursive: look into folders inside folders.
        base: folder that relative names start from; None is the current one.
        part: which images are given; None gives all.
        results: folder that they go to; where it lies in a folder that was named, nothing in it is
            an image.

    Returns:
        The images; those of a list or table need not be there.

    Raises:
        UsageError: when nothing was named, or for Parquet where that is not installed.
        InputError: for a missing file, a folder or pattern without images, and a list or table that
            cannot be read, names no image, or gives two images one name.
    """
    if "" in inputs:
        raise UsageError("an image name is empty: give files, folders or patterns like '*.png'")
    named = [str(base / item) if base is not None else item for item in inputs]
    if not named and base is not None:
        named = [str(base)]
    if not named:
        raise UsageError("no image was named: give files, folders or patterns like 'scans/*.png'")
    here = str(Path.cwd())
    without = None if results is None else str(results)
    gathered = gather(named, recursive=recursive, here=here, without=without)
    check_given_names(gathered)
    return Collection(gathered.images, gathered.rows, here, part)
