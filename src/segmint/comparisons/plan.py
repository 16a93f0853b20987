"""What a comparison is: its arms, its seeds, one data set, and what every cell is scored by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from segmint.comparisons.arm import Arm
from segmint.comparisons.data import Source
from segmint.comparisons.table import Column, Difference
from segmint.datasets import Dataset
from segmint.errors import InputError

Scoring: TypeAlias = Literal["classes", "segments", "mixtures"]
"""How labels meet the truth: as classes that were learned; as segments without names, which get
classes by matching where there is one mask; or as components of a mixture, by several matchings."""

CELLS = "cells"
"""Folder, inside that of the comparison, with a folder for each arm."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A comparison whose every option has been checked; nothing of it need have run."""

    out: Path
    """Folder of everything that it makes."""
    arms: tuple[Arm, ...]
    """In the order they were named."""
    seeds: tuple[int, ...]
    """Each makes a cell with every arm."""
    dataset: str
    """Name of the layout."""
    root: Path
    """Folder of the data set."""
    dataset_options: Mapping[str, Any] = field(default_factory=dict)
    """Of the layout, ``target`` of ``nuclei``."""
    val_fraction: float | None = None
    """Share of the training images that is held out, where the layout has no ``val``."""
    split: str
    """Whose images are scored."""
    images: tuple[str, ...]
    """Names of the images that are scored, in the order of the split."""
    is_full: bool = False
    """Whether the split is the official one with all its images."""
    scoring: Scoring
    columns: tuple[Column, ...]
    """Scores that every cell can have; the first is what pairings and examples go by."""
    settings: Mapping[str, Mapping[str, Any]]
    """All options of each arm by its label: of a recipe by section and name, of a method by name
    alone; none of ``blank``."""
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    """Processor threads of each cell; 0 is the libraries' own choice."""
    same: Mapping[str, str] = field(default_factory=dict)
    """What all arms share, in words: split, augmentation, schedule, budget."""
    differences: tuple[Difference, ...] = ()
    """Options in which arms are not alike."""
    notes: tuple[str, ...] = ()
    """What a reader of the scores should know."""
    command: str = ""
    """The line to do it once more."""
    machine: str = ""
    """Processor, cores, memory."""

    @property
    def source(self) -> Source:
        """The data set, divided as it is for every cell."""
        return Source(
            name=self.dataset,
            root=self.root,
            options=self.dataset_options,
            val_fraction=self.val_fraction,
            seed=self.seeds[0],
        )

    def scored(self) -> Dataset:
        """The images that are scored."""
        split = self.source.open(self.split)
        pairs = {pair.name: pair for pair in split.pairs}
        absent = [name for name in self.images if name not in pairs]
        if absent:
            raise InputError(
                f"split {self.split!r} of {self.dataset} in {self.root} has lost {absent[0]}: "
                "restore the data set"
            )
        return replace(split, pairs=tuple(pairs[name] for name in self.images))

    @property
    def cells(self) -> Iterator[tuple[Arm, int]]:
        """Arm and seed of every cell, all arms with the first seed first."""
        for seed in self.seeds:
            for arm in self.arms:
                yield arm, seed

    def folder(self, label: str, seed: int) -> Path:
        """Where the cell of an arm and a seed lies."""
        return self.out / CELLS / label / f"seed-{seed}"

    def arm(self, label: str) -> Arm:
        """The arm of that label; raises ``KeyError`` where there is none."""
        return {arm.label: arm for arm in self.arms}[label]
