"""Images without masks beside a data set: what peers learn from each other alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Dataset, Pair
from segmint.datasets.pair_reader import with_channels
from segmint.datasets.pixel_files import read_carefully, read_pixels
from segmint.datasets.prepared_folder import is_folder
from segmint.datasets.sample import Sample
from segmint.errors import InputError, UsageError
from segmint.images.collect import collect_images, result_names

SPLIT = "unlabelled"
"""What the images are called as a split of the data set that they stand beside."""

_INNER = "images"
_PREPARED = ".npz"


def open_unlabelled(root: str | Path, like: Dataset, *, held_out: Dataset | None = None) -> Dataset:
    """The images of a folder, as samples of a data set of which nothing is known.

    Args:
        root: a folder, with all folders in it; a file, or a pattern such as ``more/*.png``. Of a
            folder that holds a folder ``images`` that one is taken, for masks may lie beside it.
        like: the data set that they are learned with; channels, classes, palette and
            ``ignore_index`` are its own. Grey images become RGB where it has three channels.
        held_out: a split to judge by, whose images are left out.

    Returns:
        Samples, in natural order, whose mask is ``ignore_index`` everywhere. Reading one of other
        channels, or one that is damaged, raises an ``InputError`` that names it.

    Raises:
        InputError: when there is no such folder, or no image in it to learn from.
    """
    root = Path(root)
    inner = is_folder(root / _INNER)
    paths = collect_images([root / _INNER if inner else root], recursive=True)
    names = result_names(paths)
    pairs = [
        Pair(image=path, mask=None, name=name) for path, name in zip(paths, names, strict=True)
    ]
    notes = [f"images without masks are those of {root / _INNER}"] if inner else []
    kept = [] if held_out is None else _shared(pairs, held_out)
    if held_out is not None and kept:
        if len(kept) == len(pairs):
            raise InputError(
                f"all images in {root} are of split {held_out.split}, which judges the networks: "
                "give others to learn from"
            )
        notes.append(
            f"{len(kept)} of the {len(pairs)} images without masks are images of split "
            f"{held_out.split}, which judges the networks: they are left out"
        )
        pairs = [pair for pair in pairs if pair not in kept]
    return replace(
        like,
        root=root,
        split=SPLIT,
        pairs=tuple(pairs),
        read=_Reader(channels=like.channels, ignore_index=like.ignore_index),
        notes=(*notes, *_note_of_shared(pairs, like)),
    )


def unlabelled_batch_size(
    unlabelled: Dataset, *, asked: int, labelled: int, devices: int = 1
) -> int:
    """How many images without masks go into each batch.

    Args:
        unlabelled: what :func:`open_unlabelled` gave.
        asked: by ``--unlabelled-batch-size``; 0 takes as many as there are with masks, or all where
            there are fewer.
        labelled: images with masks in each batch.
        devices: processes that share each batch.

    Raises:
        InputError: when more are asked for than there are.
        UsageError: for a number that the processes cannot share.
    """
    if asked > len(unlabelled):
        raise InputError(
            f"{unlabelled.root} holds {len(unlabelled)} images, but --unlabelled-batch-size is "
            f"{asked}: pass --unlabelled-batch-size {len(unlabelled)} or less, or add some"
        )
    if len(unlabelled) < devices:
        images = f"{len(unlabelled)} image{'' if len(unlabelled) == 1 else 's'}"
        raise UsageError(
            f"{unlabelled.root} holds {images}, but {devices} processes share each batch: add "
            "some, or pass --devices 1"
        )
    count = asked or min(labelled, len(unlabelled))
    if count % devices:
        raise UsageError(
            f"--unlabelled-batch-size is {count}, but {devices} processes share each batch: pass a "
            f"multiple of {devices}"
        )
    return count


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads an image and says of all its pixels that they have no label."""

    channels: int
    ignore_index: int

    def __call__(self, pair: Pair) -> Sample:
        pixels, region = _pixels_and_region(pair.image)
        image = with_channels(pixels, self.channels, pair.image)
        mask = np.full(image.shape[:2], self.ignore_index, np.uint8)
        return Sample(image=image, mask=mask, region=region, name=str(pair.image))


def _pixels_and_region(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    if path.suffix.lower() == _PREPARED:
        image = read_carefully(path)
        return image.pixels, image.region
    return read_pixels(path), None


def _note_of_shared(pairs: Sequence[Pair], like: Dataset) -> tuple[str, ...]:
    shared = _shared(pairs, like)
    if not shared:
        return ()
    return (
        f"{len(shared)} of the {len(pairs)} images without masks are images of split {like.split}, "
        f"too, such as {shared[0].image}: they are learned from with their masks and without",
    )


def _shared(pairs: Sequence[Pair], other: Dataset) -> list[Pair]:
    """Those that lie in the same files as images of another split."""
    known = {pair.image.resolve() for pair in other.pairs}
    return [pair for pair in pairs if pair.image.resolve() in known]
