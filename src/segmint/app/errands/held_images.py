"""Images and results that errands open, kept for the next errand on the same one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segmint.app.errands.held import held, stamp
from segmint.errors import InputError
from segmint.images import MAX_PIXELS, Image, read_image
from segmint.methods.segmentation import RESULT, Segmentation
from segmint.methods.storage import load_segmentation


def opened_image(path: Path, name: str, max_pixels: int = MAX_PIXELS) -> Image:
    """An image under the name that its visitor knows it by.

    Args:
        path: the file.
        name: what its results say they were made from.
        max_pixels: larger images are refused by their header.

    Raises:
        InputError: when it cannot be read.
    """
    if not path.is_file():
        return read_image(path)  # whose error says what is wrong with the path
    image = held.get(
        ("image", *stamp(path), max_pixels),
        lambda: read_image(path, max_pixels=max_pixels),
        size=lambda read: read.pixels.nbytes,
    )
    return replace(image, source=Path(name))


def opened_fit(fit: Path, image: Image) -> Segmentation:
    """A result as the method made it.

    Args:
        fit: its folder.
        image: that it was made from.

    Raises:
        InputError: when it is no finished result, or one of an image of another size.
    """
    record = fit / RESULT
    if not record.is_file():
        return load_segmentation(fit, image)[0]  # whose error says what is wrong
    found = held.get(
        ("fit", *stamp(record)), lambda: load_segmentation(fit, image)[0], size=_bytes_of
    )
    if found.labels.shape != image.pixels.shape[:-1]:
        raise InputError(
            f"{fit} is the result of {found.labels.shape} pixels and the image has "
            f"{image.pixels.shape[:-1]}: segment the image again"
        )
    return found


def _bytes_of(found: Segmentation) -> int:
    hierarchy = found.hierarchy
    if hierarchy is None:
        return found.labels.nbytes
    tree = hierarchy.tree
    return found.labels.nbytes + hierarchy.leaves.nbytes + tree.merges.nbytes + tree.heights.nbytes
