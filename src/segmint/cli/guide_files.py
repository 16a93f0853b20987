"""Files that guide the work on an image: masks of where to look, and of what is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segmint.errors import InputError
from segmint.images import Image, read_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def matching_file(given: str | None, image: Path, what: str) -> Path | None:
    """The file that belongs to an image: the given file, or in a folder the one of its name.

    Raises:
        InputError: when the folder holds none, or several.
    """
    if given is None:
        return None
    place = Path(given)
    if not place.is_dir():
        return place
    stem = image.name.partition(".")[0]
    found = sorted(
        file
        for file in place.iterdir()
        if file.name.partition(".")[0] in (stem, f"{stem}_{what}", f"{stem}_{what}s")
        and file.resolve() != image.resolve()
    )
    marked = [file for file in found if what in file.name] or found
    if len(marked) != 1:
        count = "no file" if not marked else f"{len(marked)} files"
        raise InputError(
            f"{place} holds {count} for {image.name}: name one {stem}.png or {stem}_{what}.png"
        )
    return marked[0]


def read_mask(given: str | None, image: Path, what: str) -> NDArray[np.int32] | None:
    """The mask that belongs to an image, or None when none was given."""
    from segmint.images.masks import read_masks

    path = matching_file(given, image, what)
    if path is None:
        return None
    return read_masks(path, ignore_index=None, colors=what != "scribble")[0]


def read_region(given: str | None, image: Image) -> NDArray[np.bool_] | None:
    """Where to look in an image, or None when that was not said."""
    from segmint.images.masks import read_masks

    assert image.source is not None
    path = matching_file(given, image.source, "region")
    if path is None:
        return None
    if path.suffix.lower() == ".npz":
        return read_image(path).region
    inside: NDArray[np.bool_] = read_masks(path, ignore_index=None)[0] != 0
    return inside
