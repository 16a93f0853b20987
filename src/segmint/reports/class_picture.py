"""Classes of pixels as a picture beside their image, in the colors of the data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images import display_rgb

Picture = npt.NDArray[np.uint8]
Size = tuple[int, int]

UNCOUNTED = 255
"""The value of a pixel that has no class: unlabelled, or outside the region."""

WRONG = (213, 94, 0)
"""Vermilion of Okabe and Ito (2008), which no shade of grey is taken for."""

DIMMED = 0.4
"""Share of the light of an image that shines through a class without a color of its own."""

STRIPE = 8
"""Pixels from one stripe to the next where nothing counts."""

DIM = 96
"""An image of 8 bits whose lightest pixels are darker than this is shown brighter."""

_LIFT = 28
"""Added to that light, so that a dark image is not black either."""

_STRIPE_WIDTH = 2
_PALE = 0.6
_PALER = 0.45


def uncolored(palette: npt.NDArray[np.uint8]) -> list[int]:
    """Classes whose color is black, which is left to the image.

    Example:
        >>> uncolored(np.array([[0, 0, 0], [128, 0, 0]], np.uint8))
        [0]
    """
    return np.flatnonzero(~palette.any(axis=1)).tolist()


def class_picture(
    image: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    palette: npt.NDArray[np.uint8],
    *,
    size: Size,
) -> Picture:
    """The class of each pixel in its color; nothing in it is black.

    Where a class is black in the palette, as backgrounds are, the image is seen, darker. Pixels
    without a class show the image in light grey with white stripes.

    Args:
        image: (H, W, C) of any type.
        labels: (H, W) classes, or ``UNCOUNTED``.
        palette: (K, 3) their colors.
        size: height and width of the picture.

    Returns:
        uint8 RGB of that size.
    """
    photo = viewable(image)
    colors = np.zeros((UNCOUNTED + 1, 3), np.uint8)
    colors[: len(palette)] = palette
    bare = np.isin(labels, [*uncolored(palette), UNCOUNTED])[..., np.newaxis]
    drawn = np.where(bare, (photo * DIMMED + _LIFT).astype(np.uint8), colors[labels])
    return _striped(resized(drawn, size), resized(photo, size), _cover(labels == UNCOUNTED, size))


def mistake_picture(
    image: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.uint8],
    *,
    size: Size,
) -> Picture:
    """The pixels where a prediction is wrong, vermilion on the image in light grey.

    Args:
        image: (H, W, C) of any type.
        labels: (H, W) predicted classes.
        truth: (H, W) true ones; ``UNCOUNTED`` is striped.
        size: height and width of the picture.

    Returns:
        uint8 RGB of that size.
    """
    photo = viewable(image)
    uncounted = truth == UNCOUNTED
    wrong = (labels != truth) & ~uncounted
    pale = _lightened(photo, _PALER)
    drawn = np.where(wrong[..., np.newaxis], np.array(WRONG, np.uint8), pale)
    return _striped(resized(drawn, size), resized(photo, size), _cover(uncounted, size))


def viewable(image: npt.NDArray[Any]) -> Picture:
    """The image as a picture for the eye; one that is too dim to see is brightened.

    Args:
        image: (H, W, C) of any type.

    Returns:
        uint8 RGB.

    Example:
        >>> viewable(np.full((2, 2, 1), 40, np.uint8)).max()
        np.uint8(255)
    """
    photo = display_rgb(image)
    lightest = np.percentile(photo.max(axis=-1), 99.8)
    if not 0 < lightest < DIM:
        return photo
    return np.asarray(np.minimum(photo * (255 / lightest), 255), np.uint8)


def is_dim(image: npt.NDArray[Any]) -> bool:
    """Whether :func:`viewable` shows an image brighter than it is."""
    return bool((viewable(image) != display_rgb(image)).any())


def shown_size(shape: tuple[int, ...], longest_side: int) -> Size:
    """Height and width of a picture; smaller images grow by whole factors, with sharp edges.

    Example:
        >>> shown_size((100, 150), 480), shown_size((960, 480), 480)
        ((300, 450), (480, 240))
    """
    scale = longest_side / max(shape)
    factor = scale if scale < 1 else int(scale)
    return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


def resized(picture: Picture, size: Size) -> Picture:
    """A picture at another height and width: smaller by means of its pixels, larger by copies."""
    from PIL import Image as Pillow

    reducing = size[1] < picture.shape[1]
    kernel = Pillow.Resampling.BOX if reducing else Pillow.Resampling.NEAREST
    return np.asarray(Pillow.fromarray(picture).resize(size[::-1], kernel))


def _cover(where: npt.NDArray[np.bool_], size: Size) -> npt.NDArray[np.bool_]:
    """The same places at another size."""
    return resized(where.astype(np.uint8) * 255, size) > 127


def _striped(drawn: Picture, photo: Picture, where: npt.NDArray[np.bool_]) -> Picture:
    """Light grey with white stripes, drawn at the final size, so that stripes are alike."""
    rows, columns = np.ogrid[: drawn.shape[0], : drawn.shape[1]]
    stripes = ((rows + columns) % STRIPE < _STRIPE_WIDTH)[..., np.newaxis]
    ground = np.where(stripes, np.uint8(255), _lightened(photo, _PALE))
    return np.where(where[..., np.newaxis], ground, drawn)


def _lightened(photo: Picture, share: float) -> Picture:
    """Grey, brought nearer to white by a share."""
    grey = photo.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    return np.asarray(np.rint(grey + share * (255 - grey)), np.uint8)
