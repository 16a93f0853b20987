"""The errand ``open``: read an image, whatever it turns out to be, and draw it for the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.app.errand import Telling
from segmint.app.errands.held_images import opened_image
from segmint.app.views.view import (
    picture_png,
    plane_of,
    upright_size,
    view_path,
    view_size,
    write_view,
)
from segmint.images import Image, display_rgb
from segmint.images.viewing import upright


def open_picture(
    telling: Telling, *, path: str, views: str, max_pixels: int, max_whole: int
) -> dict[str, Any]:
    """Read an image and draw its middle slice.

    Args:
        telling: of how it goes; an image is opened in one step.
        path: the file that the visitor sent.
        views: folder for the views of the image itself.
        max_pixels: larger images are refused by their header.
        max_whole: images with more pixels are answered window by window where that is possible.

    Returns:
        ``width``, ``height``, ``slices`` (1 of one image), ``channels``, ``view`` (``width`` and
        ``height``), ``large``, ``can_paint`` (whether strokes can be kept as scribbles of the
        file), ``notes`` and ``slice``, the index to show first.

    Raises:
        InputError: for what is no image, is damaged or is too large.
    """
    from segmint.app.errands.large_images import is_large

    file = Path(path)
    if is_large(file, max_whole):
        return _open_scene(file, Path(views), max_pixels)
    image = opened_image(file, file.name, max_pixels)
    slices = len(image.pixels) if image.is_stack else 1
    draw_picture(image, Path(views), slices // 2)
    return _facts(
        upright_size(image),
        slices=slices,
        channels=image.channels,
        notes=image.notes,
        large=False,
        can_paint=_can_paint(image, max_whole),
    )


def draw_picture(image: Image, views: Path, index: int) -> None:
    """Draw an image, or a slice of a stack.

    Raises:
        OutputError: when the view cannot be written.
    """
    picture = display_rgb(plane_of(image, index))
    write_view(view_path(views, "picture", index), picture_png(picture))


def draw_overview(path: Path, views: Path, index: int) -> None:
    """Draw an image, or a slice of a stack, that is not held in memory.

    Raises:
        InputError: when it is damaged.
        OutputError: when the view cannot be written.
    """
    from segmint.app.errands.large_images import overview_picture
    from segmint.app.views.scene_labels import upright_view
    from segmint.images import open_scene

    with open_scene(path) as scene:
        view = upright_view(scene)
    picture = overview_picture(path, view=view, plane=index)
    write_view(view_path(views, "picture", index), picture_png(picture))


def _open_scene(path: Path, views: Path, max_pixels: int) -> dict[str, Any]:
    from segmint.app.views.scene_overviews import upright_scene_size
    from segmint.images import open_scene
    from segmint.images.decoding import Request, check_pixel_count

    with open_scene(path) as scene:
        request = Request(path=path, pages="auto", max_pixels=max_pixels)
        check_pixel_count(request, scene.shape, scene.channels)
        draw_overview(path, views, scene.planes // 2)
        return _facts(
            upright_scene_size(scene),
            slices=scene.planes,
            channels=scene.channels,
            notes=scene.notes,
            large=True,
            can_paint=False,
        )


def _can_paint(image: Image, max_whole: int) -> bool:
    """Whether it is one image, not too large, and neither transposed nor mirrored when shown."""
    if image.is_stack or image.height * image.width > max_whole:
        return False
    corners: npt.NDArray[np.int64] = np.arange(4).reshape(2, 2)
    return np.array_equal(upright(image)[1](corners), corners)


def _facts(
    size: tuple[int, int],
    *,
    slices: int,
    channels: int,
    notes: tuple[str, ...],
    large: bool,
    can_paint: bool,
) -> dict[str, Any]:
    height, width = view_size(*size)
    return {
        "width": size[1],
        "height": size[0],
        "slices": slices,
        "channels": channels,
        "view": {"width": width, "height": height},
        "large": large,
        "can_paint": can_paint,
        "notes": list(notes),
        "slice": slices // 2,
    }
