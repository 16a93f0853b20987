"""PASCAL VOC 2012 segmentation (Everingham et al., 2010), with SBD's further masks.

The masks of the Semantic Boundaries Dataset (Hariharan et al., 2011) are widely handed round as
``SegmentationClassAug`` with a list ``trainaug.txt``; where both are present there is a split
``trainaug``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of, read_list, stem_in_list
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.sample import Sample

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)

_LISTS = "ImageSets/Segmentation"
_AUGMENTED = {"trainaug": "trainaug", "train_aug": "trainaug"}
_ORDER = ("train", "val", "trainval", "trainaug", "test")


def voc_palette(count: int) -> NDArray[np.uint8]:
    """The colors (count, 3) of the VOC development kit: bits of a number spread over the channels.

    Example:
        >>> voc_palette(3).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    numbers = np.arange(count)
    colors = np.zeros((count, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colors[:, channel] |= ((numbers >> (3 * bit + channel) & 1) << (7 - bit)).astype("u1")
    return colors


class Voc2012(Layout):
    """The folder ``VOC2012`` of the development kit, or one around it."""

    name = "voc2012"
    places = ("", "VOC2012", "VOCdevkit/VOC2012")
    landmarks = ("JPEGImages", _LISTS)

    classes = CLASSES
    palette = voc_palette(len(CLASSES))

    def splits(self) -> tuple[str, ...]:
        """The lists that are there."""
        stems = {_AUGMENTED.get(stem, stem) for stem in files_in(self.place / _LISTS, [".txt"])}
        return tuple(sorted(stems, key=lambda stem: (*_rank(stem), stem)))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The images of a list; those of ``test`` have no published masks."""
        lists = files_in(self.place / _LISTS, [".txt"])
        path = next(path for stem, path in lists.items() if _AUGMENTED.get(stem, stem) == split)
        masks = files_in(self.place / "SegmentationClass", [".png"])
        if split == "trainaug":
            masks |= files_in(self.place / "SegmentationClassAug", [".png"])
        images = files_in(self.place / "JPEGImages", [".jpg"])
        names = [stem_in_list(words[0]) for words in read_list(path)]
        return pairs_of(names, images, masks, source=path, needs_masks=split != "test")

    def reader(self) -> Callable[[Pair], Sample]:
        """Palette values are classes, and 255 is the border between objects."""
        numbers = {number: number for number in range(len(CLASSES))}
        labels = LabelMap.of({**numbers, IGNORE_INDEX: IGNORE_INDEX}, len(CLASSES))
        return PairReader(labels=labels, channels=self.channels)


def _rank(split: str) -> tuple[int]:
    return (_ORDER.index(split) if split in _ORDER else len(_ORDER),)
