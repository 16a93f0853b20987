"""A name for each result of a collection, unique also where case does not count.

The rule is that of :func:`segmint.images.result_names`; here it holds 14 bytes an image, however
long the names are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.engines.collection_storage import StoredImages
from segmint.images.collect import name_by_length, stem_of

LONGEST_NAME = 255
"""Bytes that file systems give a name."""
RESERVED = ("manifest.jsonl", "report.html", "unexpected-errors")
"""What else lies in the folder of the results, and the manifests of parts."""
_OF_PART = re.compile(r"manifest-\d+-of-\d+\.jsonl")
_DIGEST = 8


class CollectionNames:
    """Names of the results of images.

    Args:
        images: all of them.
        rows: which of them are meant, in order.
        here: folder that relative paths start from.
    """

    def __init__(self, images: StoredImages, rows: Sequence[int], here: str) -> None:
        self._images, self._rows, self._here = images, rows, here
        self._folder_number = -1
        self._folders: tuple[str, ...] = ()
        self._lengths = np.zeros(len(rows), np.uint16)
        self._copies: NDArray[np.uint32] | None = None
        self._tell_apart()

    def __getitem__(self, number: int) -> str:
        name = self._plain(number)
        copy = 0 if self._copies is None else int(self._copies[number])
        return _fitting(f"{name}-{copy}" if copy else name)

    def told_apart(self) -> NDArray[np.intp]:
        """Numbers of the images that share a name with another."""
        if self._copies is None:
            return np.flatnonzero(self._lengths)
        return np.flatnonzero((self._lengths > 0) | (self._copies > 0))

    def _plain(self, number: int) -> str:
        row, length = self._rows[number], int(self._lengths[number])
        given = self._images.given.get(row)
        if given:
            return given
        name = self._images.name(row)
        folders = self._folders_of(row) if length > 1 else ()
        outer, inside, inner = name.partition(os.sep)
        if not inside:
            return name_by_length(folders, name, length)
        inner = inner.replace(os.sep, "-")
        # What tells images of a Zarr folder apart are their places in it: they come first.
        return name_by_length(
            folders, f"{outer if length else stem_of(outer)}-{inner}", max(length, 1)
        )

    def _folders_of(self, row: int) -> tuple[str, ...]:
        folder = self._images.folder_number(row)
        if folder != self._folder_number:
            self._folder_number = folder
            self._folders = _parts(self._here, self._images.folder(folder))
        return self._folders

    def _longest(self, number: int) -> int:
        row = self._rows[number]
        return 0 if self._images.given.get(row) else 1 + len(self._folders_of(row))

    def _tell_apart(self) -> None:
        digests = name_digests(map(self._plain, range(len(self._rows))))
        while True:
            shared = np.flatnonzero(repeated(digests))
            longer = [each for each in shared.tolist() if self._lengths[each] < self._longest(each)]
            if not longer:
                break
            self._lengths[longer] += 1
            digests[longer] = name_digests(map(self._plain, longer))
        self._number(shared, digests)

    def _number(self, shared: NDArray[np.intp], digests: NDArray[np.uint64]) -> None:
        """Tell apart what no folder does; names that were given stay."""
        given = self._images.given
        is_given = np.array([bool(given.get(self._rows[each])) for each in shared.tolist()], bool)
        seen = set(name_digests(RESERVED).tolist()) | set(digests[shared[is_given]].tolist())
        taken = np.sort(digests)
        next_copy: dict[int, int] = {}
        for number in shared[~is_given].tolist():
            digest = int(digests[number])
            if digest not in seen:
                seen.add(digest)
                continue
            copy = next_copy.get(digest, 2)
            name = self._plain(number)
            while (other := _digest(f"{name}-{copy}")) in seen or _holds(taken, other):
                copy += 1
            seen.add(other)
            next_copy[digest] = copy + 1
            if self._copies is None:
                self._copies = np.zeros(len(digests), np.uint32)
            self._copies[number] = copy


def _parts(here: str, folder: str) -> tuple[str, ...]:
    """As ``Path(here, folder).parts`` without the first, ten times as quick."""
    _, whole = os.path.splitdrive(os.path.join(here, folder))  # noqa: PTH118
    return tuple(part for part in whole.split(os.sep) if part not in ("", "."))  # noqa: PTH206


def is_reserved(name: str) -> bool:
    """Whether something else in the folder of the results may bear a name.

    Example:
        >>> is_reserved("Report.html"), is_reserved("manifest-3-of-5.jsonl"), is_reserved("a")
        (True, True, False)
    """
    return name.casefold() in RESERVED or _OF_PART.fullmatch(name.casefold()) is not None


def name_digests(names: Iterable[str]) -> NDArray[np.uint64]:
    """A number for each name, the same for names that differ in case alone.

    All manifests of parts go by one number, that of the manifest.
    """
    found = bytearray()
    for name in names:
        letters = name.casefold()
        if letters.startswith("manifest-") and _OF_PART.fullmatch(letters):
            letters = RESERVED[0]
        text = letters.encode("utf-8", "surrogatepass")
        found += hashlib.blake2b(text, digest_size=_DIGEST).digest()
    return np.frombuffer(found, "<u8").astype(np.uint64)


def repeated(digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which digests are there more than once, or of a name that is reserved."""
    order = np.argsort(digests, kind="stable")
    same = digests[order][1:] == digests[order][:-1]
    found = np.zeros(len(digests), bool)
    found[order[1:][same]] = found[order[:-1][same]] = True
    return found | np.isin(digests, name_digests(RESERVED))


def _digest(name: str) -> int:
    return int(name_digests((name,))[0])


def _holds(ordered: NDArray[np.uint64], digest: int) -> bool:
    place = int(np.searchsorted(ordered, np.uint64(digest)))
    return place < len(ordered) and int(ordered[place]) == digest


def _fitting(name: str) -> str:
    """A name that is too long for a file system, cut, with digits that stand for all of it."""
    text = name.encode("utf-8", "surrogatepass")
    if len(text) <= LONGEST_NAME:
        return name
    digits = hashlib.blake2b(text, digest_size=_DIGEST).hexdigest()
    return f"{text[: LONGEST_NAME - len(digits) - 1].decode('utf-8', 'ignore')}-{digits}"
