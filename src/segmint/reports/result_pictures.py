"""A finished result on disk as two pictures of one size: the image, and its overlay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images import display_rgb, natural_key, read_image, read_labels
from segmint.images.viewing import fullest_slice, upright
from segmint.methods.storage import read_record
from segmint.runs import BEGUN

OVERLAY = "overlay.png"

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What is shown of one finished result."""

    name: str
    """Of its folder."""
    record: dict[str, Any]

    @property
    def components(self) -> int | None:
        """How many it has."""
        found = self.record.get("components")
        return found if isinstance(found, int) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided on the way."""
        return tuple(map(str, self.record["notes"]))


def read_results(folder: Path) -> list[Result]:
    """Every finished result in a folder, by the names of their folders.

    Args:
        folder: that ``segmint segment --out`` named.
    """
    found = []
    places = (place for place in folder.iterdir() if not place.name.startswith(BEGUN))
    for place in sorted(filter(Path.is_dir, places), key=natural_key):
        try:
            found.append(Result(name=place.name, record=read_record(place)))
        except InputError:
            continue  # something else lies there, or a result that was cut off
    return found


def result_pictures(folder: Path, result: Result, *, longest_side: int) -> list[Picture]:
    """The image and its overlay, or the overlay alone where the image is gone or has changed.

    Args:
        folder: of all results.
        result: one of them.
        longest_side: both are reduced to this many pixels.

    Returns:
        uint8 RGB; nothing where there is no overlay either.
    """
    place = folder / result.name
    try:
        overlay = read_image(place / OVERLAY).pixels
    except (InputError, OSError):
        return []
    drawn = _reduced(np.asarray(overlay[..., :3], np.uint8), longest_side)
    try:
        photo = _for_the_eye(place, result.record)
    except (InputError, OSError):
        return [drawn]
    if photo.shape[:2] != overlay.shape[:2]:
        return [drawn]
    return [_reduced(photo, longest_side), drawn]


def _for_the_eye(place: Path, record: dict[str, Any]) -> Picture:
    """The image of a result as its overlay shows it."""
    stack = len(record.get("shape", ())) == 3
    source = read_image(Path(str(record.get("image"))), pages="stack" if stack else "auto")
    image, turn = upright(source)
    pixels = image.pixels
    if image.is_stack:
        labels = read_labels(place / record["labels"])
        if labels.shape != source.pixels.shape[:3]:
            raise InputError(f"{place} has labels of another size than its image: segment it again")
        pixels = pixels[fullest_slice(turn(labels))]
    return display_rgb(pixels[..., :1] if image.channel_names else pixels)


def _reduced(picture: Picture, longest_side: int) -> Picture:
    from PIL import Image as Pillow

    image = Pillow.fromarray(picture)
    image.thumbnail((longest_side, longest_side), Pillow.Resampling.LANCZOS)
    return np.asarray(image.convert("RGB"))
