"""ISBI 2012 (Arganda-Carreras et al., 2015): membranes in 30 slices of electron microscopy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Pair
from segmint.datasets.holding_out import Parts, hold_out_last
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.pair_reader import PairReader, check_sizes, unknown
from segmint.datasets.pixel_files import read_carefully, read_mask_values, read_pixels
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.images.palettes import palette

_CELL = 255
_LABELS = LabelMap.of({0: 0, _CELL: 1}, 2)


class Isbi2012(Layout):
    """A folder ``train`` with ``image`` and ``label``, or the stacks of the challenge.

    The challenge published no validation split. Slices lie 50 nm apart and neighbors look alike,
    so validation takes the last slices, not any.
    """

    name = "isbi2012"
    places = ("", "isbi2012", "ISBI2012")
    landmarks = ("train/image", "train/label")
    default_val_fraction = 0.2
    protocols = ("membranes",)

    classes = ("membrane", "cell")
    palette = palette()[:2]
    channels = 1
    notes = ("masks: 0 is membrane, 255 is cell; val is the last slices, not a draw",)

    @classmethod
    def place_in(cls, root: Path) -> Path | None:
        """The folder with the folders of slices, or else with the stacks."""
        found = super().place_in(root)
        if found is not None:
            return found
        places = (root / inner for inner in cls.places)
        return next((place for place in places if _stack_file(place, "train-volume")), None)

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Whether there are the stacks, or grey slices with black and white labels, no ``val``."""
        place = cls.place_in(root)
        if place is None or _stack_file(place, "train-volume"):
            return place is not None
        images, masks = (files_in(place / "train" / part) for part in ("image", "label"))
        if not images or not masks or is_folder(place / "val"):
            return False
        image, mask = read_pixels(next(iter(images.values()))), next(iter(masks.values()))
        values = np.unique(read_mask_values(mask)).tolist()
        return image.shape[-1] == 1 and set(values) <= {0, _CELL}

    def splits(self) -> tuple[str, ...]:
        """``train``, and ``test``, whose truth was not published, where it is there."""
        held = is_folder(self.place / "test/image") or _stack_file(self.place, "test-volume")
        return ("train", "test") if held else ("train",)

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The slices in their order."""
        volume = _stack_file(self.place, f"{split}-volume")
        if volume is not None:
            return _pages(volume, _stack_file(self.place, f"{split}-labels"))
        source = self.place / split / "image"
        images, masks = files_in(source), files_in(self.place / split / "label")
        return pairs_of(list(images), images, masks, source=source, needs_masks=split == "train")

    def reader(self) -> Callable[[Pair], Sample]:
        """0 is membrane and 255 the inside of cells."""
        return SliceReader(pairs=PairReader(labels=_LABELS, channels=self.channels))

    def hold_out(self, pairs: Sequence[Pair], fraction: float, seed: int) -> Parts:
        """The last slices, whatever the seed."""
        return hold_out_last(pairs, fraction=fraction, place=self.root)


@dataclass(frozen=True, kw_only=True)
class SliceReader:
    """Reads pages of stacks, and files of slices."""

    pairs: PairReader

    def __call__(self, pair: Pair) -> Sample:
        """Read one slice."""
        if pair.page is None:
            return self.pairs(pair)
        image = _page(pair.image, pair.page)[..., np.newaxis]
        name = f"{pair.image}, slice {pair.page}"
        if pair.mask is None:
            return Sample(image=image, mask=unknown(image), name=name)
        stored = _page(pair.mask, pair.page)
        check_sizes(image, stored, pair)
        return Sample(image=image, mask=self.pairs.labels(stored, pair.mask), name=name)


def _stack_file(place: Path, stem: str) -> Path | None:
    files = files_in(place, (".tif", ".tiff"))
    return files.get(stem)


def _pages(volume: Path, labels: Path | None) -> tuple[Pair, ...]:
    count = len(_stack(volume, _stamp(volume)))
    if labels is not None and len(_stack(labels, _stamp(labels))) != count:
        raise InputError(
            f"{volume} has {count} slices and {labels} has {len(_stack(labels, _stamp(labels)))}: "
            "use the files that belong together"
        )
    return tuple(
        Pair(image=volume, mask=labels, name=f"{volume.name.partition('.')[0]}-{page}", page=page)
        for page in range(count)
    )


def _page(path: Path, page: int) -> NDArray[Any]:
    return np.array(_stack(path, _stamp(path))[page])


def _stamp(path: Path) -> int:
    """Changes when the file does."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=3)
def _stack(path: Path, stamp: int) -> NDArray[Any]:
    """A whole stack (D, H, W), which costs as much to decode as one of its pages."""
    pixels = read_carefully(path, pages="stack").pixels
    if pixels.shape[-1] != 1:
        raise InputError(
            f"{path} has {pixels.shape[-1]} channels, accepted is a stack of grey slices: use the "
            "file of the challenge"
        )
    return pixels.reshape(-1, *pixels.shape[-3:-1])
