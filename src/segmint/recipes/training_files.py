"""Which files recipes learn from that need no masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from segmint.datasets.prepared_folder import prepared_images, read_record
from segmint.engines.collection import open_collection
from segmint.errors import InputError
from segmint.recipes.file_options import FileOptions
from segmint.recipes.recipe import counted_images

_GUIDED = "regions and scribbles that a table names are not looked at while learning"


@dataclass(frozen=True)
class TrainingFiles:
    """Image files in order, each once."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    """Sentences for the user."""


def training_files(data: Sequence[str | Path], files: FileOptions | None = None) -> TrainingFiles:
    """The image files to learn from.

    Args:
        data: what :func:`segmint.engines.collection.open_collection` takes: files, folders,
            patterns, lists, tables and Zarr folders; also prepared data sets, of which the training
            split is taken.
        files: how they are found, and how many are taken; None is the defaults.

    Raises:
        InputError: for a missing file, a folder without images, or a list or table that cannot be
            read.
        UsageError: when nothing was named.
    """
    files = files or FileOptions()
    found: list[Path] = []
    guided = False
    for prepared, items in groupby(data, lambda item: read_record(Path(item)) is not None):
        if prepared:
            found += [path for item in items for path in _prepared(item)]
            continue
        for image in open_collection([*map(str, items)], recursive=files.recursive):
            found.append(Path(image.image))
            guided = guided or bool(image.region or image.scribbles)
    paths = list(dict.fromkeys(found))
    chosen = paths
    notes = [_GUIDED] if guided else []
    if files.sample is not None:
        chosen = [paths[place] for place in at_equal_steps(len(paths), files.sample)]
        notes.append(f"learning from a sample: {len(chosen)} of {counted_images(len(paths))}")
    return TrainingFiles(tuple(chosen), tuple(notes))


def at_equal_steps(count: int, wanted: int) -> Iterator[int]:
    """So many of ``count`` numbers from 0, or all of them, as far apart as can be.

    Example:
        >>> list(at_equal_steps(10, 4)), list(at_equal_steps(3, 5))
        ([0, 2, 5, 7], [0, 1, 2])
    """
    taken = min(count, wanted)
    return (place * count // taken for place in range(taken))


def _prepared(item: str | Path) -> list[Path]:
    """The training split of a prepared data set."""
    record = read_record(Path(item)) or {}
    if record["format_of_files"] != "npz":
        raise InputError(
            f"{item} was prepared as {record['format_of_files']}, whose regions lie apart, "
            "accepted is npz: prepare it once more with --format npz"
        )
    return prepared_images(item, "train")
