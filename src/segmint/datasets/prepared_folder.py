"""A folder of prepared images: its record, and the images of a split."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from segmint.errors import InputError, UsageError, nearest
from segmint.images.collect import collect_images

RECORD = "dataset.json"
"""File that says how the folder was made."""

FORMAT = "segmint dataset 1"
SPLITS = ("train", "test")
FILE_FORMATS = ("npz", "nifti")
"""One file an image; or folders ``images``, ``masks`` and ``regions`` of files named alike."""


def prepared_images(folder: str | Path, split: str | None = None) -> list[Path]:
    """The images of a prepared data set, or of any folder, in natural order.

    Args:
        folder: what ``segmint data prepare`` wrote, one split of it, or a folder of images.
        split: ``train`` or ``test``; None is all there are.

    Returns:
        Paths for :func:`segmint.images.read_image`.

    Raises:
        UsageError: for a split that there is not.
        InputError: when the folder or the split has no image.
    """
    folder = Path(folder)
    if split is not None and split not in SPLITS:
        raise UsageError(f"split is {split!r}: {nearest(split, SPLITS)}")
    record = read_record(folder)
    if record is None:
        return collect_images([folder if split is None else folder / split])
    places = [image_folder(folder, each, record["format_of_files"]) for each in SPLITS]
    if split is not None:
        places = [places[SPLITS.index(split)]]
    filled = [place for place in places if is_folder(place) and any(place.iterdir())]
    if not filled:
        raise InputError(
            f"{folder} holds no image of {split or 'any split'}: prepare the data again, or name "
            "another split"
        )
    return collect_images(list(filled))


def image_folder(folder: Path, split: str, file_format: str) -> Path:
    """Where the images of a split are, which with NIfTI have masks and regions beside them."""
    return folder / split if file_format == "npz" else folder / split / "images"


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False also for what is too long or odd to be a path."""
    # Path.is_dir raises for such names.
    return os.path.isdir(path)  # noqa: PTH112


def read_record(folder: Path) -> dict[str, Any] | None:
    """What ``dataset.json`` says, or None where there is none.

    Raises:
        InputError: when it is not such a record, or one of another version.
    """
    path = folder / RECORD
    if not os.path.isfile(path):  # noqa: PTH113 (as in is_folder)
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = record["format"]
        known = record["format_of_files"] in FILE_FORMATS and isinstance(record["options"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is no record of prepared data, accepted is what 'segmint data prepare' "
            "writes: prepare the data into another folder"
        ) from error
    if version != FORMAT or not known:
        raise InputError(
            f"{path} is of the format {str(version)[:40]!r}, accepted is {FORMAT!r}: prepare the "
            "data into another folder"
        )
    return dict(record)
