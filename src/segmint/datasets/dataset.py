"""What every data set is: samples of one split, and the names and colors of its classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.sample import Sample

IGNORE_INDEX = 255

Truths: TypeAlias = Callable[["Pair"], tuple[NDArray[np.int32], ...]]
"""The raw truth of a pair, one array (H, W) an annotator, in which every value counts."""

Objects: TypeAlias = Callable[[NDArray[np.integer]], NDArray[np.int32]]
"""Objects or segments with numbers of their own, from a map of classes (H, W); 0 is background,
negative lies outside the region."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of one sample."""

    image: Path
    mask: Path | None
    """None where the image holds its own truth, or has none."""
    name: str
    """Unique in its data set, ``frankfurt_000000_000294``."""
    page: int | None = None
    """Number of the page, in stacks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(Sequence[Sample]):
    """The samples of one split, read when they are asked for.

    It can be pickled, so that worker processes can read, too.
    """

    name: str
    """Of the layout, ``voc2012``."""
    root: Path
    split: str
    """``train``, ``val``, ``test`` or another that the layout has."""
    classes: tuple[str, ...]
    """Name of each class 0 to K - 1."""
    palette: NDArray[np.uint8]
    """(K, 3) RGB color of each class."""
    pairs: tuple[Pair, ...]
    read: Callable[[Pair], Sample] = field(repr=False)
    """Reads and maps one pair; raises ``InputError`` naming the file."""
    channels: int = 3
    """C of the images."""
    channel_names: tuple[str, ...] = ()
    """Where the channels have names (sequences of MR)."""
    ignore_index: int = IGNORE_INDEX
    notes: tuple[str, ...] = ()
    """What was recognized and mapped, for the user: "0/255 masks: 255 is class 1, foreground"."""
    protocols: tuple[str, ...] = ()
    """What its field scores by, beside IoU: names of ``segmint.metrics.protocols``."""
    truths: Truths | None = field(default=None, repr=False)
    """The truth as it was drawn, numbers of objects or segments; None where the mask is all."""
    objects: Objects | None = field(default=None, repr=False)
    """Makes of a class map what :attr:`truths` holds; None where there are no such numbers."""

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        if isinstance(index, slice):
            return tuple(self.read(pair) for pair in self.pairs[index])
        return self.read(self.pairs[index])
