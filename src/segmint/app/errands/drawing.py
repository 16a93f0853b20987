"""The errand ``draw``: a slice, its labels or a map, when the page asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segmint.app.changes import Changes
from segmint.app.errand import Telling
from segmint.app.errands.held import held, stamp
from segmint.app.errands.held_images import opened_fit, opened_image
from segmint.app.errands.opening import draw_overview, draw_picture
from segmint.app.views.view import view_path, write_label_view
from segmint.errors import InputError
from segmint.images import Image
from segmint.methods.segmentation import RESULT

_MAP = "map-"


def draw_view(
    telling: Telling,
    *,
    kind: str,
    index: int,
    path: str,
    views: str,
    fit: str | None = None,
    large: bool = False,
) -> dict[str, Any]:
    """Draw one view.

    Args:
        telling: of how it goes; this takes one step.
        kind: ``picture``, ``labels``, ``map-entropy``, ``map-uncertainty`` or ``map-class-3``.
        index: slice of a stack; 0 of one image.
        path: the image.
        views: folder of the views, of the image itself or of an answer.
        fit: folder of the result as the method made it, for labels.
        large: whether the image is not held in memory.

    Returns:
        ``file``, the view.

    Raises:
        InputError: when there is no such slice, map or result.
    """
    folder = Path(views)
    if kind == "picture" and large:
        draw_overview(Path(path), folder, index)
    elif kind == "picture":
        draw_picture(_image_with(Path(path), index), folder, index)
    elif kind == "labels" and fit is not None and large:
        from segmint.app.errands.large_images import draw_large_labels

        draw_large_labels(folder, Path(fit), Path(path), index)
    elif kind == "labels" and fit is not None:
        _draw_labels(_image_with(Path(path), index), Path(fit), folder, index)
    elif kind.startswith(_MAP):
        from segmint.app.views.maps import draw_map_view

        draw_map_view(folder, kind.removeprefix(_MAP), index)
    else:
        raise InputError(f"there is no view {kind!r} of slice {index}: reload the page")
    return {"file": str(view_path(folder, kind, index))}


def _image_with(path: Path, index: int) -> Image:
    """The image, when it has that slice."""
    image = opened_image(path, path.name)
    slices = len(image.pixels) if image.is_stack else 1
    if not 0 <= index < slices:
        raise InputError(f"{path} has no slice {index}, accepted is 0 to {slices - 1}")
    return image


def _draw_labels(image: Image, fit: Path, views: Path, index: int) -> None:
    changes = Changes.read(views)
    found = opened_fit(fit, image)
    if changes != Changes():
        key = ("changed", *stamp(fit / RESULT), repr(changes))
        former = found
        found = held.get(key, lambda: changes.applied(former), size=lambda each: each.labels.nbytes)
    write_label_view(views, image, found.labels, index)
