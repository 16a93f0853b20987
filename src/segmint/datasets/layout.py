"""What every layout is: how a data set lies in its folder, and what its masks mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Objects, Pair, Truths
from segmint.datasets.holding_out import hold_out
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.options import Options


@dataclass(frozen=True, kw_only=True)
class NoOptions(Options):
    """Nothing to choose."""


class Layout(ABC):
    """A data set in a folder: its splits, its classes, and how one pair is read.

    Args:
        root: the folder that the user named.
        options: of the layout's own type.

    Raises:
        InputError: when the folder is not laid out so.
    """

    name: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = ("",)
    """Where the data may lie, seen from the folder that the user named."""
    landmarks: ClassVar[tuple[str, ...]]
    """Folders and files that every place of this layout holds."""
    options_type: ClassVar[type[Options]] = NoOptions
    default_val_fraction: ClassVar[float] = 0.0
    """Share of ``train`` held out where there is no ``val`` and the user asked for none."""
    protocols: ClassVar[tuple[str, ...]] = ()
    """What the field scores by, beside IoU: names of ``segmint.metrics.protocols``."""

    classes: tuple[str, ...]
    palette: NDArray[np.uint8]
    channels: int = 3
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    """One sentence for each file that could not be looked at when the folder was recognized."""

    def __init__(self, root: Path, options: Options) -> None:
        self.root = root
        self.options = options
        self.place = self._found_place(root)

    @classmethod
    def place_in(cls, root: Path) -> Path | None:
        """The folder that holds all landmarks: the given one, or one inside it."""
        for inner in cls.places:
            place = root / inner
            if is_folder(place) and all((place / mark).exists() for mark in cls.landmarks):
                return place
        return None

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Whether the folder is laid out so, by its names and by what is quick to look at."""
        return cls.place_in(root) is not None

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """The splits that the folder holds, ``train`` first."""

    @abstractmethod
    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The files of a split, always in the same order.

        Raises:
            InputError: when a list is empty, or names a file that is absent.
        """

    @abstractmethod
    def reader(self) -> Callable[[Pair], Sample]:
        """What reads one pair; it can be pickled, and threads can share it."""

    def truths(self) -> Truths | None:
        """What reads the truth of a pair as it was drawn, if not the mask; it can be pickled."""
        return None

    def objects(self) -> Objects | None:
        """What makes of a class map numbers such as :meth:`truths` gives; it can be pickled."""
        return None

    def group_of(self, pair: Pair) -> str:
        """What the pair belongs to: pairs of one group stay together when a part is held out."""
        return pair.name

    def hold_out(
        self, pairs: Sequence[Pair], fraction: float, seed: int
    ) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """What remains for training, and what is held out for validation.

        Raises:
            InputError: when there is a single group, which cannot be divided.
        """
        groups = [self.group_of(pair) for pair in pairs]
        return hold_out(pairs, groups, fraction=fraction, seed=seed, place=self.root)

    @classmethod
    def _found_place(cls, root: Path) -> Path:
        place = cls.place_in(root)
        if place is None:
            raise InputError(
                f"{root} is not laid out as {cls.name}: it holds no "
                f"{' with '.join(cls.landmarks)}; name the folder that does, or another layout"
            )
        return place
