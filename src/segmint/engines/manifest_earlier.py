"""What an earlier command left in a manifest, and what of it still holds."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.engines.item import Item, made_from
from segmint.engines.manifest_lines import (
    beginning_at,
    item_of,
    line_of,
    opened,
    read_beginning,
    record_of,
    whole_lines,
)
from segmint.engines.outcome import STATES, State
from segmint.errors import InputError
from segmint.methods.segmentation import RESULT

_UNNAMED, _GONE = -1, -2
"""Instead of the number of an image: not in this collection; the line does not hold any more."""
_AGAIN = len(STATES)
"""Instead of a state: finished, but somebody removed the result."""
_CHUNK = 4096


class Earlier:
    """The lines of a manifest, looked through once; memory holds about 10 bytes of each.

    Those of failed images and of results that somebody removed do not hold any more. Where the
    images of the collection are not the same as before, each line gets its number by the names of
    the result and the image, and then about 60 bytes a line are held for a moment.

    Args:
        path: of a manifest whose first line is whole.
        images: of the collection as it is now.
        is_renumbered: whether they are not the same as before.
        count: of the images; their numbers lie below it.

    Raises:
        InputError: for a damaged line.
    """

    def __init__(
        self, path: Path, images: Iterable[Item], *, is_renumbered: bool, count: int
    ) -> None:
        self._path, self._is_renumbered = path, is_renumbered
        self.end = beginning_at(path)[1]
        """Bytes up to the end of the last whole line."""
        names = _Names() if is_renumbered else None
        self._numbers, self._states = self._looked_through(names)
        if names is not None:
            self._numbers = names.numbers(images)
        self._check(count)
        self._drop()

    @property
    def is_whole(self) -> bool:
        """Whether all lines hold, with the numbers that they have."""
        return not self._is_renumbered and not bool((self._numbers == _GONE).any())

    def done(self) -> NDArray[np.int64]:
        """Numbers of the images that need not be done."""
        return self._numbers[self._numbers >= 0]

    def counts(self) -> dict[State, int]:
        """How many of the images of this collection are in each state."""
        states = np.bincount(self._states[self._numbers >= 0], minlength=len(STATES))
        return {state: int(count) for state, count in zip(STATES, states, strict=False)}

    def lines(self) -> Iterator[bytes]:
        """The lines that hold."""
        with opened(self._path) as file:
            read_beginning(file, self._path)
            for index, line in whole_lines(file, self._path):
                number = int(self._numbers[index - 2])
                if number != _GONE:
                    yield self._renumbered(line, index, number) if self._is_renumbered else line

    def _renumbered(self, line: bytes, index: int, number: int) -> bytes:
        record = record_of(line, self._path, index)
        now = None if number == _UNNAMED else number
        return line if record["number"] == now else line_of({**record, "number": now})

    def _looked_through(self, names: _Names | None) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The number and the state of each line."""
        numbers, states = array("q"), array("B")
        folder = str(self._path.parent)
        with opened(self._path) as file:
            read_beginning(file, self._path)
            for index, line in whole_lines(file, self._path):
                record = record_of(line, self._path, index)
                number = record["number"]
                numbers.append(_UNNAMED if number is None else number)
                states.append(_state(record, folder))
                if names is not None:
                    names.add(item_of(record))
                self.end += len(line)
        return np.frombuffer(numbers, np.int64).copy(), np.frombuffer(states, np.uint8)

    def _check(self, count: int) -> None:
        greatest = int(self._numbers.max(initial=_UNNAMED))
        if greatest >= count:
            raise InputError(
                f"line {int(self._numbers.argmax()) + 2:,} of {self._path} is of image "
                f"{greatest:,}, but they are numbered from 0 to {count - 1:,}: remove that line, "
                "or give another --out"
            )

    def _drop(self) -> None:
        """Let the lines go of images that are done again, and second lines of an image."""
        named = self._numbers >= 0
        again = (self._states == STATES.index("failed")) | (self._states == _AGAIN)
        _, first = np.unique(self._numbers, return_index=True)
        is_first = np.zeros(len(named), dtype=bool)
        is_first[first] = True
        self._numbers[named & (again | ~is_first)] = _GONE


class _Names:
    """Which line is of which image, where the collection is another than before."""

    def __init__(self) -> None:
        self._keys, self._images = bytearray(), bytearray()

    def add(self, item: Item) -> None:
        """The image of the next line."""
        self._keys += _key(item.name)
        self._images += _key(made_from(item))

    def numbers(self, images: Iterable[Item]) -> NDArray[np.int64]:
        """Of each line: of the image that has this name, if it is the same image as well.

        A line of another image whose result had that name does not hold, for its folder is now
        another's.
        """
        keys, files = _keys(self._keys), _keys(self._images)
        numbers = np.full(len(keys), _UNNAMED, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        ordered, source = keys[order], iter(images)
        while len(keys) and (items := list(islice(source, _CHUNK))):
            wanted = _keys(b"".join(_key(item.name) for item in items))
            places = np.minimum(np.searchsorted(ordered, wanted), len(keys) - 1)
            found = ordered[places] == wanted
            lines = order[places[found]]
            same = files[lines] == _keys(b"".join(_key(made_from(item)) for item in items))[found]
            own = np.array([item.number for item in items], dtype=np.int64)[found]
            numbers[lines] = np.where(same, own, _GONE)
        return numbers


def _key(text: str) -> bytes:
    """A hash of 16 bytes, and one more, for NumPy takes no notice of zeros at the end."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() + b"."


def _keys(data: bytes | bytearray) -> NDArray[np.bytes_]:
    return np.frombuffer(data, dtype="S17")


def _state(record: dict[str, Any], folder: str) -> int:
    state = STATES.index(record["state"])
    result = f"{folder}/{record['name']}/{RESULT}"
    if record["state"] == "failed" or os.path.exists(result):  # noqa: PTH110 (a third of the time)
        return state
    return _AGAIN
