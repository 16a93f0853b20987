"""Cityscapes (Cordts et al., 2016): street scenes with fine annotations, 19 classes to train.

Numbers, names and colors of the labels are those of the data set's own scripts
(github.com/mcordts/cityscapesScripts, ``helpers/labels.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample

# Label id, name and color of each class in the order of the ids to train with.
_TRAINED = """
    7 road 804080, 8 sidewalk f423e8, 11 building 464646, 12 wall 66669c, 13 fence be9999,
    17 pole 999999, 19 traffic light faaa1e, 20 traffic sign dcdc00, 21 vegetation 6b8e23,
    22 terrain 98fb98, 23 sky 4682b4, 24 person dc143c, 25 rider ff0000, 26 car 00008e,
    27 truck 000046, 28 bus 003c64, 31 train 005064, 32 motorcycle 0000e6, 33 bicycle 770b20
"""
_ROWS = [row.split() for row in _TRAINED.split(",")]

CLASSES = tuple(" ".join(row[1:-1]) for row in _ROWS)
COLORS = np.array([list(bytes.fromhex(row[-1])) for row in _ROWS], np.uint8)
TRAIN_IDS = {int(row[0]): number for number, row in enumerate(_ROWS)}
"""Label id to class; the other ids from -1 (license plate) to 33 are not counted."""

LABEL_IDS = range(-1, 34)

_SPLITS = ("train", "val", "test")
_IMAGE_END = "_leftImg8bit.png"
_MASK_ENDS = ("_gtFine_labelIds.png", "_gtFine_labelTrainIds.png")


class Cityscapes(Layout):
    """The folder that holds ``leftImg8bit`` and ``gtFine``."""

    name = "cityscapes"
    places = ("", "cityscapes", "Cityscapes")
    landmarks = ("leftImg8bit", "gtFine")

    classes = CLASSES
    palette = COLORS

    def splits(self) -> tuple[str, ...]:
        """Folders of ``leftImg8bit``."""
        return tuple(name for name in _SPLITS if is_folder(self.place / "leftImg8bit" / name))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The images of all cities; ``labelIds`` are preferred to ``labelTrainIds``."""
        source, truth = (self.place / part / split for part in ("leftImg8bit", "gtFine"))
        images: dict[str, Path] = {}
        masks: dict[str, Path] = {}
        for city in sorted(folder.name for folder in source.iterdir() if folder.is_dir()):
            images |= files_in(source / city, [_IMAGE_END])
            for end in reversed(_MASK_ENDS):
                masks |= files_in(truth / city, [end])
        return pairs_of(list(images), images, masks, source=source, needs_masks=split != "test")

    def reader(self) -> Callable[[Pair], Sample]:
        """Ids become classes; what is not trained is not counted."""
        return PairReader(labels=CityscapesLabels(), channels=self.channels)

    def group_of(self, pair: Pair) -> str:
        """The city."""
        return pair.image.parent.name


@dataclass(frozen=True)
class CityscapesLabels:
    """Classes of label ids, or of ids to train with: the name of the file says which it holds."""

    label_ids = LabelMap.of(
        {number % 256: TRAIN_IDS.get(number, IGNORE_INDEX) for number in LABEL_IDS}, len(CLASSES)
    )
    train_ids = LabelMap.of(
        {**{number: number for number in range(len(CLASSES))}, IGNORE_INDEX: IGNORE_INDEX},
        len(CLASSES),
    )

    def __call__(self, stored: NDArray[Any], path: Path) -> NDArray[np.uint8]:
        """Classes (H, W) of a mask as its file stores it."""
        trained = path.name.lower().endswith(_MASK_ENDS[1].lower())
        return (self.train_ids if trained else self.label_ids)(stored, path)
