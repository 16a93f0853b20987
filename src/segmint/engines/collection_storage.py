"""Millions of images kept as bytes: no Python object for any of them."""

from __future__ import annotations

import os
from array import array

_KNOWN_FOLDERS = 10_000
"""That are found again; a further folder may be kept twice, which costs only memory."""


class Texts:
    """Many short texts in one piece of memory, some eight bytes more each than their letters."""

    def __init__(self) -> None:
        self._letters = bytearray()
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> str:
        start = self._ends[number - 1] if number else 0
        return self._letters[start : self._ends[number]].decode("utf-8", "surrogatepass")

    def append(self, text: str) -> None:
        """Add a text at the end."""
        self._letters += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._letters))

    def fill(self, length: int) -> None:
        """Add empty texts up to a length."""
        self._ends.extend([len(self._letters)] * (length - len(self)))

    def get(self, number: int) -> str:
        """A text, empty beyond the end."""
        return self[number] if number < len(self) else ""


class StoredImages:
    """Where images are, and what a table said of each.

    A folder is kept once for images that follow each other; an image in a Zarr folder has the path
    in it in its name.
    """

    def __init__(self) -> None:
        self._folders = Texts()
        self._folder_of = array("I")
        self._names = Texts()
        self._known: dict[str, int] = {}
        self.given, self.regions, self.scribbles = Texts(), Texts(), Texts()

    def __len__(self) -> int:
        return len(self._folder_of)

    def add(
        self, folder: str, name: str, given: str = "", region: str = "", scribbles: str = ""
    ) -> None:
        """Add an image at the end.

        Args:
            folder: with a separator behind it, or empty.
            name: of the file, or the path of a Zarr image from the folder that it lies in.
            given: name of its result, or empty.
            region: file, or empty.
            scribbles: file, or empty.
        """
        number = len(self)
        self._folder_of.append(self._number_of(folder))
        self._names.append(name)
        for texts, text in (
            (self.given, given),
            (self.regions, region),
            (self.scribbles, scribbles),
        ):
            if text:
                texts.fill(number)
                texts.append(text)

    def folder_number(self, number: int) -> int:
        """Of the folder of an image; folders of other numbers may be the same."""
        return self._folder_of[number]

    def folder(self, folder_number: int) -> str:
        """A folder, with a separator behind it."""
        return self._folders[folder_number]

    def name(self, number: int) -> str:
        """Of an image in its folder."""
        return self._names[number]

    def path(self, number: int) -> str:
        """Of an image, as it was named."""
        return self._folders[self._folder_of[number]] + self._names[number]

    def _number_of(self, folder: str) -> int:
        known = self._known.get(folder)
        if known is not None:
            return known
        if len(self._known) >= _KNOWN_FOLDERS:
            self._known.clear()
        self._folders.append(folder)
        self._known[folder] = len(self._folders) - 1
        return self._known[folder]


def split(path: str) -> tuple[str, str]:
    """A path as a folder with its separator, and a name."""
    cut = path.rfind(os.sep) + 1
    return path[:cut], path[cut:]
