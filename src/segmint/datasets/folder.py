"""One's own data: ``images`` and ``masks`` by name, or a table of pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from segmint.datasets.class_list import FILE, ClassList, read_class_list
from segmint.datasets.dataset import Pair
from segmint.datasets.folder_pairs import (
    has_folders,
    pairs_of_folders,
    pairs_of_table,
    table_in,
)
from segmint.datasets.layout import Layout
from segmint.datasets.mask_encoding import ENCODINGS, recognize_encoding
from segmint.datasets.mask_survey import survey
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.pixel_files import read_pixels
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.options import Options, option

_LOOKED_AT = 8
"""Images whose channels are looked at."""


@dataclass(frozen=True, kw_only=True)
class FolderOptions(Options):
    """What is better said than recognized."""

    encoding: str = option("auto", choices=ENCODINGS)
    """What masks hold: numbers of classes, 0 and 255, or colors."""
    channels: int = option(0, low=0, high=1024)
    """Of the images; 0 looks at some of them. Grey images become RGB where 3 are asked for."""


class Folder(Layout):
    """A folder of images and masks; classes are those of ``classes.txt`` or found in the masks."""

    name = "folder"
    landmarks = ("images", "masks")
    options_type = FolderOptions

    options: FolderOptions

    def __init__(self, root: Path, options: FolderOptions) -> None:
        super().__init__(root, options)
        table = table_in(root)
        self._splits, notes = pairs_of_folders(root) if table is None else pairs_of_table(table)
        self._pairs = [pair for pairs in self._splits.values() for pair in pairs]
        facts, damaged = survey([pair.mask for pair in self._pairs if pair.mask is not None])
        if not facts:
            raise damaged[0]
        self.damaged = tuple(map(str, damaged))
        self._encoding = recognize_encoding(facts, self._class_list(), options.encoding)
        self.classes = self._encoding.classes
        self.palette = self._encoding.palette
        self.notes = (self._encoding.note, *notes)
        self.channels = options.channels or self._found_channels()

    @classmethod
    def place_in(cls, root: Path) -> Path | None:
        """The folder itself."""
        table = table_in(root)
        if table is not None:
            return table.parent
        return root if has_folders(root) else None

    def splits(self) -> tuple[str, ...]:
        """Those of the folders or of the table."""
        return tuple(self._splits)

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The pairs of a split."""
        return self._splits[split]

    def reader(self) -> Callable[[Pair], Sample]:
        """The values of masks become classes as they were recognized."""
        return PairReader(labels=self._encoding.labels, channels=self.channels)

    def _class_list(self) -> ClassList | None:
        path = self.place / FILE
        return read_class_list(path) if path.is_file() else None

    def _found_channels(self) -> int:
        """Channels of the images, of which some may be grey while others are RGB."""
        step = max(1, len(self._pairs) // _LOOKED_AT)
        found: dict[int, Path] = {}
        for pair in self._pairs[::step]:
            try:
                found.setdefault(read_pixels(pair.image).shape[-1], pair.image)
            except InputError as error:
                self.damaged = (*self.damaged, str(error))
        if not found:
            raise InputError(self.damaged[0])
        if len(found) > 1 and set(found) != {1, 3}:
            shown = ", ".join(f"{path} has {channels}" for channels, path in found.items())
            raise InputError(
                f"images differ in their channels ({shown}): save all with the same channels"
            )
        return max(found)
