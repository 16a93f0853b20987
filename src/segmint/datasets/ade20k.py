"""ADE20K as the scene parsing benchmark gives it (Zhou et al., 2017): 150 classes."""

from __future__ import annotations

from collections.abc import Callable

from segmint.datasets.ade20k_classes import CLASSES, COLORS
from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample

_FOLDERS = {"train": "training", "val": "validation"}


class Ade20k(Layout):
    """The folder ``ADEChallengeData2016``, or the one around it."""

    name = "ade20k"
    places = ("", "ADEChallengeData2016")
    landmarks = ("images/training", "annotations/training")

    classes = CLASSES
    palette = COLORS

    def splits(self) -> tuple[str, ...]:
        """Folders of ``images``."""
        folders = self.place / "images"
        return tuple(name for name, folder in _FOLDERS.items() if is_folder(folders / folder))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """Images and annotations of one name."""
        source = self.place / "images" / _FOLDERS[split]
        images = files_in(source, [".jpg"])
        masks = files_in(self.place / "annotations" / _FOLDERS[split], [".png"])
        return pairs_of(list(images), images, masks, source=source)

    def reader(self) -> Callable[[Pair], Sample]:
        """0 is whatever else there is and not counted; 1 to 150 become 0 to 149."""
        numbers = {number + 1: number for number in range(len(CLASSES))}
        labels = LabelMap.of({**numbers, 0: IGNORE_INDEX}, len(CLASSES))
        return PairReader(labels=labels, channels=self.channels)
