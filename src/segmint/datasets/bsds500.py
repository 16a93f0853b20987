"""BSDS500 (Arbelaez et al., 2011): boundaries that several people drew in each photo.

Its segments have no classes: a number means nothing beyond its own annotation. What can be learned
with labels is where the boundaries are, so the classes here are ``interior`` and ``boundary``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Objects, Pair, Truths
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.objects import grown_pieces
from segmint.datasets.pair_reader import check_sizes, with_channels
from segmint.datasets.pixel_files import read_berkeley, read_pixels
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample
from segmint.images.borders import segment_borders
from segmint.images.palettes import palette
from segmint.options import Options, option

_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class BsdsOptions(Options):
    """Whose boundaries are learned."""

    annotators: str = option("agreed", choices=("agreed", "finest", "coarsest", "first"))
    """Boundaries of at least half of the annotators, what only some drew not being counted; or
    those of the one who drew the most segments, the fewest, or who comes first."""


class Bsds500(Layout):
    """The folder ``BSDS500`` with ``data/images`` and ``data/groundTruth``, or one around it."""

    name = "bsds500"
    places = ("data", "BSDS500/data", "BSR/BSDS500/data", "")
    landmarks = ("images/train", "groundTruth/train")
    options_type = BsdsOptions
    protocols = ("boundaries",)

    classes = ("interior", "boundary")
    palette = palette()[:2]

    options: BsdsOptions

    def splits(self) -> tuple[str, ...]:
        """Folders of images."""
        return tuple(name for name in _SPLITS if is_folder(self.place / "images" / name))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """Photos and files of their annotations."""
        source = self.place / "images" / split
        images = files_in(source, [".jpg"])
        masks = files_in(self.place / "groundTruth" / split, [".mat"])
        return pairs_of(list(images), images, masks, source=source)

    def reader(self) -> Callable[[Pair], Sample]:
        """Segments become boundaries."""
        return BoundaryReader(annotators=self.options.annotators, channels=self.channels)

    def truths(self) -> Truths:
        """The segments of every annotator."""
        return read_segments

    def objects(self) -> Objects:
        """Pieces of the interior are segments, grown over the boundaries between them."""
        return segments_of


@dataclass(frozen=True, kw_only=True)
class BoundaryReader:
    """Reads a photo and the boundaries that were drawn in it."""

    annotators: str
    channels: int

    def __call__(self, pair: Pair) -> Sample:
        """Read one pair."""
        assert pair.mask is not None
        image = with_channels(read_pixels(pair.image), self.channels, pair.image)
        segmentations = read_berkeley(pair.mask)
        for segments in segmentations:
            check_sizes(image, segments, pair)
        mask = boundary_mask(segmentations, self.annotators)
        return Sample(image=image, mask=mask, name=str(pair.image))


def read_segments(pair: Pair) -> tuple[NDArray[np.int32], ...]:
    """The segments (H, W) of every annotator."""
    assert pair.mask is not None
    return read_berkeley(pair.mask)


def segments_of(classes: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Segments from interior (0) and boundary (1).

    Example:
        >>> segments_of(np.array([[0, 0, 1, 1, 0, 0]])).tolist()
        [[1, 1, 1, 2, 2, 2]]
    """
    return grown_pieces(classes, inside=0, over=(1,), diagonal=False)


def boundary_mask(
    segmentations: tuple[NDArray[np.integer[Any]], ...], annotators: str
) -> NDArray[np.uint8]:
    """Interior (0) and boundary (1) from the segments (H, W) of each annotator.

    Args:
        segmentations: at least one.
        annotators: as in :class:`BsdsOptions`.

    Example:
        >>> boundary_mask((np.array([[1, 1, 1, 2, 2, 2]]),), "first").tolist()
        [[0, 0, 1, 1, 0, 0]]
    """
    if annotators == "agreed":
        drawn = np.mean([segment_borders(each) for each in segmentations], axis=0)
        return np.where(drawn >= 0.5, 1, np.where(drawn > 0, IGNORE_INDEX, 0)).astype(np.uint8)
    counts = [np.unique(each).size for each in segmentations]
    chosen = {"finest": int(np.argmax(counts)), "coarsest": int(np.argmin(counts)), "first": 0}
    return segment_borders(segmentations[chosen[annotators]]).astype(np.uint8)
