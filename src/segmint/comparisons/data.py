"""The images that a comparison scores: of which split, and of those with a truth that is readable.

Read once before anything runs, so that all cells score the same images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segmint.datasets import Dataset
from segmint.datasets import open as open_dataset
from segmint.datasets import splits as splits_of
from segmint.datasets.channel_statistics import evenly_spread
from segmint.datasets.dataset import Pair
from segmint.errors import InputError, UsageError, nearest, shortened

_NAMED = 3
"""Images that a note names."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set and how it is divided, the same for every cell."""

    name: str
    """Of the layout."""
    root: Path
    options: Mapping[str, Any]
    """Of the layout."""
    val_fraction: float | None
    seed: int
    """Of the draw of what is held out."""

    def splits(self) -> tuple[str, ...]:
        """Those that can be opened."""
        return splits_of(self.name, self.root, val_fraction=self.val_fraction, **self.options)

    def open(self, split: str) -> Dataset:
        """One of them."""
        return open_dataset(
            self.name,
            self.root,
            split=split,
            val_fraction=self.val_fraction,
            seed=self.seed,
            **self.options,
        )


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What is scored."""

    dataset: Dataset
    """Its pairs are those with a truth."""
    is_whole: bool
    """Whether no image of the split was left out."""
    notes: tuple[str, ...]


def choose_split(source: Source, asked: str | None, *, learns: bool) -> str:
    """The split that is scored: ``test`` where it has a truth, else ``val``.

    Args:
        source: of the images.
        asked: by the user, who knows best.
        learns: whether an arm learns from the training images; if not, those will do, too.

    Raises:
        UsageError: for a split that is not there.
        InputError: when none has a truth.
    """
    there = source.splits()
    if asked is not None:
        if asked not in there:
            raise UsageError(
                f"--split is {shortened(asked)!r}, which {source.name} in {source.root} does not "
                f"have: {nearest(shortened(asked), there)}"
            )
        return asked
    candidates = ("test", "val") if learns else ("test", "val", "train")
    for split in candidates:
        if split in there and _has_truth(source.open(split)):
            return split
    raise InputError(
        f"{source.name} in {source.root} has no truth to score by in {' or '.join(candidates)}: "
        "give the masks of one of them, or name another split with --split"
    )


def scored_images(source: Source, split: str, *, most: int | None = None) -> Scored:
    """The images of a split that have a truth which can be read.

    Args:
        source: of the images.
        split: which of its splits.
        most: take so many, evenly spread; None takes all.

    Raises:
        InputError: when none is left.
    """
    whole = source.open(split)
    chosen = evenly_spread(len(whole), len(whole) if most is None else most)
    dataset = replace(whole, pairs=tuple(whole.pairs[index] for index in chosen))
    faults = {pair: _fault(dataset, pair) for pair in dataset.pairs}
    kept = tuple(pair for pair, fault in faults.items() if not fault)
    if not kept:
        reason = next(iter(faults.values()), "it is empty")
        raise InputError(
            f"no image of split {split!r} of {whole.name} in {whole.root} can be scored "
            f"({reason}): check the folder with 'segmint data check'"
        )
    return Scored(
        dataset=replace(dataset, pairs=kept),
        is_whole=len(kept) == len(whole),
        notes=tuple(_notes(faults, split, len(whole))),
    )


def _fault(dataset: Dataset, pair: Pair) -> str:
    """Why an image cannot be scored, empty where it can."""
    try:
        sample = dataset.read(pair)
    except InputError as error:
        return str(error)
    return "" if (sample.mask != dataset.ignore_index).any() else "it has no truth"


def _has_truth(dataset: Dataset) -> bool:
    if any(pair.mask is not None for pair in dataset.pairs):
        return True
    return any(not _fault(dataset, pair) for pair in dataset.pairs[:1])


def _notes(faults: Mapping[Pair, str], split: str, n_whole: int) -> list[str]:
    """What is said of images that are not scored."""
    notes = []
    if len(faults) < n_whole:
        notes.append(f"{len(faults)} of the {n_whole} images of {split} were chosen, evenly spread")
    missing = [pair.name for pair, fault in faults.items() if fault == "it has no truth"]
    others = {
        pair.name: fault for pair, fault in faults.items() if fault and pair.name not in missing
    }
    if missing:
        they = "it has" if len(missing) == 1 else "they have"
        notes.append(f"{_left_out(missing, split)}: {they} no truth")
    if others:
        notes.append(f"{_left_out([*others], split)}: {next(iter(others.values()))}")
    return notes


def _left_out(names: list[str], split: str) -> str:
    more = len(names) - _NAMED
    named = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} image{plural} of {split} left out ({named})"
