"""What a training learns from, what it is validated on, and the same once more for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.datasets import Dataset, recognize
from segmint.datasets import open as open_dataset
from segmint.datasets import splits as splits_of
from segmint.datasets.opening import AUTO
from segmint.errors import InputError, UsageError
from segmint.recipes.run import Run
from segmint.recipes.settings import assignments
from segmint.recipes.supervised_options import AUTO_VAL_FRACTION, DataOptions


@dataclass(frozen=True, kw_only=True)
class Splits:
    """What is learned from, and what is validated on."""

    train: Dataset
    val: Dataset | None
    described: Mapping[str, Any]
    """What :func:`open_again` needs, as plain data."""
    notes: tuple[str, ...]
    """What the user should know of them."""


def open_splits(root: Path, options: DataOptions, *, seed: int) -> Splits:
    """Open the training split and the one to validate on.

    Raises:
        UsageError: for an unknown layout, split or option.
        InputError: for a folder that is not laid out so, or whose images cannot be divided.
    """
    name = recognize(root) if options.dataset == AUTO else options.dataset
    own = assignments(options.dataset_options, flag="--dataset-options")
    fraction = options.val_fraction
    if fraction is None and options.val_split not in splits_of(name, root, **own):
        fraction = AUTO_VAL_FRACTION
    drawn = seed if options.val_seed is None else options.val_seed
    arguments = {"val_fraction": fraction, "seed": drawn, **own}
    train = _opened(name, root, options.train_split, arguments)
    val = None
    if options.val_fraction != 0:
        val = _opened(name, root, options.val_split, arguments)
    notes = (*train.notes, *(() if val is None else val.notes))
    return Splits(
        train=train,
        val=val,
        described={
            "name": name,
            "root": str(root.absolute()),
            "train_split": options.train_split,
            "val_split": options.val_split,
            "train_images": len(train),
            "val_images": 0 if val is None else len(val),
            "arguments": arguments,
        },
        notes=tuple(dict.fromkeys(notes)),
    )


def open_again(
    run: Run, root: str | Path | None = None, *, split: str = "val", dataset: str | None = None
) -> Dataset:
    """A split of the data set that a run learned from, or of another one.

    Args:
        run: by a recipe that learns from a data set.
        root: of the data set; None is where it was.
        split: which; ``val`` is the one the run was validated on.
        dataset: its layout; None is the one the run learned from.

    Raises:
        InputError: when the run learned from images without masks, or the data set is not there.
        UsageError: for an unknown layout or split.
    """
    told = run.record.get("dataset")
    if not isinstance(told, dict):
        raise InputError(
            f"{run.folder} learned from images without masks, so there is no truth to score it on: "
            f"'segmint predict {run.folder} IMAGE...' and 'segmint evaluate FOLDER MASKS' do it"
        )
    if split == "val":
        split = str(told["val_split"])
    name = str(told["name"])
    place = Path(told["root"] if root is None else root)
    arguments = dict(told["arguments"])
    if dataset is not None and dataset != name:
        name, arguments = dataset, {}
    there = splits_of(name, place, **{key: arguments[key] for key in arguments if key != "seed"})
    if split == "val" and split not in there:
        raise UsageError(
            f"{name} in {place} has no split 'val', and {run.folder} held no part of it out to "
            f"validate on: pass --split with one of {', '.join(there)}"
        )
    return _opened(name, place, split, arguments)


def _opened(name: str, root: Path, split: str, arguments: Mapping[str, Any]) -> Dataset:
    found = open_dataset(name, root, split=split, **arguments)
    if not len(found):
        raise InputError(
            f"split {split!r} of {name} in {root} is empty, accepted is one with images: check the "
            "folder with 'segmint data check'"
        )
    return found
