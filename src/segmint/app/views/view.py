"""Views: what the page draws of an image and of labels, small enough for a browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images.image import Image
from segmint.images.viewing import upright
from segmint.runs import atomic_path

VIEW_PIXELS = 2_000_000
"""Larger images are drawn reduced to this many pixels."""

_QUICK = 1
"""Level of compression: a view is looked at once, and 6 takes five times as long."""

Labels = npt.NDArray[np.integer[Any]]
Picture = npt.NDArray[np.uint8]


def view_size(height: int, width: int, most: int = VIEW_PIXELS) -> tuple[int, int]:
    """Height and width of the view of an image, its own where that is small enough.

    Example:
        >>> view_size(321, 481), view_size(3000, 4000)
        ((321, 481), (1224, 1632))
    """
    scale = min(1.0, (most / (height * width)) ** 0.5)
    return max(1, int(height * scale)), max(1, int(width * scale))


def view_path(views: Path, what: str, index: int = 0) -> Path:
    """Where a view lies.

    Args:
        views: folder of an answer's views, or of the image's own.
        what: ``picture``, ``labels``, ``map-entropy``, ``map-uncertainty`` or ``map-class-3``.
        index: slice of a stack.
    """
    return views / f"{what}-{index:04d}.png"


def nearest(plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """A plane (H, W, ...) at another size (h, w): the pixel under the middle of each new one."""
    if plane.shape[:2] == size:
        return plane
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(size, plane.shape[:2], strict=True)
    )
    sampled: npt.NDArray[Any] = plane[rows[:, np.newaxis], columns]
    return sampled


def plane_of(image: Image, index: int = 0) -> npt.NDArray[Any]:
    """Pixels (H, W, C) of an image, or of a slice of a stack, upright and as overlays show them."""
    turned, _ = upright(image)
    pixels = turned.pixels[index] if image.is_stack else turned.pixels
    return pixels[..., :1] if image.channel_names else pixels


def values_of(image: Image, values: npt.NDArray[Any], index: int = 0) -> npt.NDArray[Any]:
    """(H, W) of labels or values, (H, W) or (D, H, W), that belong to :func:`plane_of`."""
    _, turn = upright(image)
    turned = turn(values)
    return turned[index] if image.is_stack else turned


def upright_size(image: Image) -> tuple[int, int]:
    """Height and width of an image as it is shown."""
    height, width = upright(image)[0].pixels.shape[-3:-1]
    return int(height), int(width)


def picture_png(picture: Picture) -> bytes:
    """The view of a picture, uint8 RGB (H, W, 3), as PNG; means of pixels where it is larger."""
    from PIL import Image as Pillow

    height, width = view_size(*picture.shape[:2])
    drawn = Pillow.fromarray(picture)
    if drawn.size != (width, height):
        drawn = drawn.resize((width, height), Pillow.Resampling.BOX)
    return _png(drawn)


def label_png(labels: Labels) -> bytes:
    """Labels (h, w) of a view as a PNG whose colors are numbers.

    ``red + 256 green + 65536 blue`` of a pixel is its id + 1, and 0 outside the region.

    Example:
        >>> read_label_png(label_png(np.array([[-1, 0, 70_000]]))).tolist()
        [[-1, 0, 70000]]
    """
    from PIL import Image as Pillow

    numbers = labels.astype(np.uint32) + np.uint32(1)
    if int(numbers.max(initial=0)) > 255:
        parts = [(numbers >> shift & 255).astype(np.uint8) for shift in (0, 8, 16)]
        return _png(Pillow.fromarray(np.stack(parts, axis=-1)))
    # A browser shows the same colors of a palette, of which there is a third to compress.
    drawn = Pillow.fromarray(numbers.astype(np.uint8))
    table = np.zeros((256, 3), np.uint8)
    table[:, 0] = np.arange(256)
    drawn.putpalette(table.tobytes())
    return _png(drawn)


def read_label_png(content: bytes) -> npt.NDArray[np.int32]:
    """The labels (h, w) that :func:`label_png` wrote, -1 outside the region."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as drawn:
        colors = np.asarray(drawn.convert("RGB")).astype(np.int32)
    numbers: npt.NDArray[np.int32] = colors @ np.array([1, 256, 65536], np.int32) - np.int32(1)
    return numbers


def write_view(path: Path, content: bytes) -> None:
    """Write a view whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_label_view(views: Path, image: Image, labels: Labels, index: int = 0) -> None:
    """Draw the labels (H, W) or (D, H, W) of an image, of a stack one slice."""
    plane = values_of(image, labels, index)
    drawn = label_png(nearest(plane, view_size(*plane.shape)))
    write_view(view_path(views, "labels", index), drawn)


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=_QUICK)
    return stream.getvalue()
