"""Finished results back from disk."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.images import MAX_PIXELS, Image, read_image, read_labels
from segmint.methods.method import BY_AREA
from segmint.methods.segmentation import RESULT, Segmentation
from segmint.regions.storage import load_hierarchy

_KINDS: dict[str, tuple[type, ...]] = {
    "labels": (str,),
    "method": (str,),
    "options": (dict,),
    "seed": (int,),
    "seconds": (int, float),
    "history": (list,),
    "notes": (list,),
}


def load_segmentation(
    folder: str | Path, image: Image | None = None
) -> tuple[Segmentation, Image | None]:
    """A saved segmentation, and its image where that can still be read.

    Args:
        folder: of the result.
        image: that it was made from; read from where it lay when not given.

    Raises:
        InputError: when the folder is not a finished result, or one of a scene that is too large to
            be held in memory.
    """
    folder = Path(folder)
    record = read_record(folder)
    _check_size(folder, record)
    image = _image(record) if image is None else image
    hierarchy = folder / "hierarchy.npz"
    segmentation = Segmentation(
        labels=read_labels(folder / record["labels"]),
        method=record["method"],
        options=record["options"],
        seed=record["seed"],
        seconds=record["seconds"],
        history=tuple(record["history"]),
        notes=_own_notes(record["notes"], image),
        order=record.get("order", BY_AREA),
        names={int(index): name for index, name in record.get("names", {}).items()},
        hierarchy=load_hierarchy(hierarchy) if hierarchy.exists() else None,
    )
    return segmentation, image


def read_record(folder: Path) -> dict[str, Any]:
    """What ``result.json`` says of a finished result.

    Raises:
        InputError: when the folder is not a finished result: its record is missing or damaged, or
            its labels are.
    """
    try:
        record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{folder} is not a finished result (no readable {RESULT}): "
            "give a folder that 'segmint segment' wrote"
        ) from error
    found = record if isinstance(record, dict) else {}
    wrong = [name for name, kinds in _KINDS.items() if not isinstance(found.get(name), kinds)]
    if wrong:
        raise InputError(
            f"{folder / RESULT} is damaged (no usable {', '.join(wrong)}): segment the image again"
        )
    if not (folder / found["labels"]).exists():
        raise InputError(f"{folder} has lost its {found['labels']}: segment the image again")
    return found


def _check_size(folder: Path, record: dict[str, Any]) -> None:
    if record.get("streamed") and math.prod(record.get("shape", [])) > MAX_PIXELS:
        sides = " x ".join(map(str, record["shape"]))
        raise InputError(
            f"{folder} is the result of a scene of {sides} pixels, accepted here are at most "
            f"{MAX_PIXELS}: cut out the part you need from {record['labels']}"
        )


def _own_notes(notes: list[str], image: Image | None) -> tuple[str, ...]:
    """Notes without those of the image, which are written again with it."""
    of_image = [] if image is None else list(image.notes)
    return tuple(notes[len(of_image) :] if notes[: len(of_image)] == of_image else notes)


def _image(record: dict[str, Any]) -> Image | None:
    try:
        image = read_image(str(record.get("image")))
    except InputError:
        return None
    return image if list(image.pixels.shape[:-1]) == record.get("shape") else None
