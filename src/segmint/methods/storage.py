"""Finished results back from disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.images import Image, read_image, read_labels
from segmint.methods.segmentation import RESULT, Segmentation
from segmint.regions.storage import load_hierarchy


def load_segmentation(folder: str | Path) -> tuple[Segmentation, Image | None]:
    """A saved segmentation, and its image where that can still be read.

    Raises:
        InputError: when the folder is not a finished result.
    """
    folder = Path(folder)
    record = _record(folder)
    hierarchy = folder / "hierarchy.npz"
    segmentation = Segmentation(
        labels=read_labels(folder / str(record["labels"])),
        method=str(record["method"]),
        options=dict(record["options"]),
        seed=int(record["seed"]),
        seconds=float(record["seconds"]),
        history=tuple(record["history"]),
        notes=tuple(record["notes"]),
        hierarchy=load_hierarchy(hierarchy) if hierarchy.exists() else None,
    )
    return segmentation, _image(record)


def _record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        missing = {"labels", "method", "options", "seed", "seconds", "history", "notes"} - {*record}
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{folder} is not a finished result (no readable {RESULT}): "
            "give a folder that 'segmint segment' wrote"
        ) from error
    if missing:
        raise InputError(f"{folder / RESULT} lacks {', '.join(sorted(missing))}: segment again")
    return dict(record)


def _image(record: dict[str, Any]) -> Image | None:
    if not record.get("image") or not Path(record["image"]).exists():
        return None
    image = read_image(record["image"])
    shape = image.pixels.shape[:-1]
    return image if list(shape) == list(record.get("shape", [])) else None
