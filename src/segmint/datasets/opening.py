"""A data set by the name of its layout, or by what its folder looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.layout import Layout
from segmint.datasets.prepared_folder import is_folder
from segmint.errors import InputError, UsageError, nearest

AUTO = "auto"
_FALLBACK = "folder"


def open(  # noqa: A001 (the name is the point: segmint.datasets.open)
    name: str,
    root: str | Path,
    *,
    split: str = "train",
    val_fraction: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Dataset:
    """Open one split of a data set.

    Official splits stand as they are. Where there is no ``val``, a share of ``train`` is held out:
    whole groups that belong together, such as the slices of a patient, drawn by the seed. ``train``
    then is what remains, and ``trainval`` is both.

    Args:
        name: of the layout, such as ``voc2012``; ``auto`` recognizes it.
        root: the folder of the data set.
        split: ``train``, ``val``, ``test`` or another that the data set has.
        val_fraction: share of ``train`` that is held out, 0 to below 1, where ``val`` is missing;
            None is the layout's own share, which is 0 for all but ``isbi2012``.
        seed: of the draw.
        options: of the layout, such as ``target="foreground"`` of ``nuclei``.

    Returns:
        The samples, which are read when they are asked for.

    Raises:
        UsageError: for an unknown layout, split or option, or a fraction out of range.
        InputError: for a folder that is not laid out so or is not complete.
    """
    layout = open_layout(name, root, **options)
    if layout.damaged:
        more = len(layout.damaged) - 1
        others = f" ({more} more of its files cannot be read)" if more else ""
        raise InputError(f"{layout.damaged[0]}{others}")
    return Division(layout, val_fraction, seed).open(split)


def splits(
    name: str, root: str | Path, *, val_fraction: float | None = None, **options: Any
) -> tuple[str, ...]:
    """The splits that :func:`open` opens with the same arguments, ``train`` first.

    Raises:
        UsageError: for an unknown layout or option, or a fraction out of range.
        InputError: for a folder that is not laid out so.
    """
    return Division(open_layout(name, root, **options), val_fraction, 0).splits()


def recognize(root: str | Path) -> str:
    """The name of the layout that a folder has.

    Raises:
        InputError: when it has none of those known, or could be of several.
    """
    from segmint.datasets import datasets

    root = Path(root)
    _check_exists(root)
    found = [
        entry.name
        for entry in datasets.entries()
        if entry.name != _FALLBACK and entry.load().recognizes(root)
    ]
    if not found and datasets.load(_FALLBACK).recognizes(root):
        return _FALLBACK
    known = ", ".join(datasets)
    if not found:
        raise InputError(
            f"{root} is laid out as none of the known data sets ({known}): 'segmint data list' "
            "says what each needs; images/ and masks/ with files named alike will do"
        )
    if len(found) > 1:
        raise InputError(f"{root} could be {' or '.join(found)}: name one of them with --dataset")
    return found[0]


def open_layout(name: str, root: str | Path, **options: Any) -> Layout:
    """The layout of a folder, whose files may be damaged.

    Raises:
        UsageError: for an unknown layout or option.
        InputError: for a folder that is not laid out so.
    """
    from segmint.datasets import datasets

    root = Path(root)
    if name == AUTO:
        name = recognize(root)
    layout: type[Layout] = datasets.load(name)
    chosen = layout.options_type.from_mapping(options)
    _check_exists(root)
    return layout(root, chosen)


@dataclass(frozen=True)
class Division:
    """A layout whose training images are divided where it has no validation split."""

    layout: Layout
    fraction: float | None
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self._share < 1:
            raise UsageError(f"val_fraction is {self.fraction}, accepted is 0 to below 1")

    def open(self, split: str) -> Dataset:
        """One split as a data set."""
        pairs = self.pairs(split)
        return Dataset(
            name=self.layout.name,
            root=self.layout.root,
            split=split,
            classes=self.layout.classes,
            palette=self.layout.palette,
            pairs=pairs,
            read=self.layout.reader(),
            channels=self.layout.channels,
            channel_names=self.layout.channel_names,
            notes=(*self.layout.notes, *self._notes(split, pairs)),
            protocols=self.layout.protocols,
            truths=self.layout.truths(),
            objects=self.layout.objects(),
        )

    def splits(self) -> tuple[str, ...]:
        """What can be opened, ``train`` first."""
        official = self.layout.splits()
        if self._divides(official):
            official = ("train", "val", *(name for name in official if name != "train"))
        if {"train", "val"} <= set(official) and "trainval" not in official:
            official = (*official, "trainval")
        return official

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The files of a split."""
        official = self.layout.splits()
        if split == "val" and "val" not in official and not self._divides(official):
            raise UsageError(
                f"{self.layout.name} in {self.layout.root} has no split 'val' and val_fraction is "
                "0: pass val_fraction=0.2 (--val-fraction 0.2) to hold out a fifth of 'train'"
            )
        if split not in self.splits():
            raise UsageError(
                f"{self.layout.name} in {self.layout.root} has no split {split!r}: "
                f"{nearest(split, self.splits())}"
            )
        if self._divides(official) and split in ("train", "val", "trainval"):
            whole = self.layout.pairs("train")
            train, val = self.layout.hold_out(whole, self._share, self.seed)
            return {"train": train, "val": val, "trainval": whole}[split]
        if split == "trainval" and split not in official:
            return (*self.layout.pairs("train"), *self.layout.pairs("val"))
        return self.layout.pairs(split)

    def _notes(self, split: str, pairs: tuple[Pair, ...]) -> tuple[str, ...]:
        official = self.layout.splits()
        if not self._divides(official):
            unused = bool(self.fraction) and "val" in official
            return ("val is the data set's own split: val_fraction is not used",) if unused else ()
        if split not in ("train", "val"):
            return ()
        whole = len(self.layout.pairs("train"))
        held = len(pairs) if split == "val" else whole - len(pairs)
        return (f"val is {held} of the {whole} images of train",)

    @property
    def _share(self) -> float:
        return self.layout.default_val_fraction if self.fraction is None else self.fraction

    def _divides(self, official: tuple[str, ...]) -> bool:
        return "train" in official and "val" not in official and self._share > 0


def _check_exists(root: Path) -> None:
    from segmint.images.collect import nearest_file

    if not is_folder(root) and not root.is_file():
        raise InputError(
            f"{root} does not exist, accepted is the folder of a data set: {nearest_file(root)}"
        )
