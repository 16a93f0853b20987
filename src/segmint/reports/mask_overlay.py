"""A mask drawn over its image: what lies under it stays visible, thin things as well."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images import display_rgb, draw_overlay
from segmint.images.borders import segment_borders

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

IGNORED = 255

ALPHA = 0.5
"""Share of the color of a class in the picture."""

THIN_ALPHA = 0.9

STRIPE = 8
"""Pixels from one stripe to the next where nothing counts."""

_STRIPE_WIDTH = 2
_LIGHT = 0.55
_THIN = 0.7
_MOSTLY = 0.85
_LEAST_COVER = 0.3
"""Of a pixel of a reduced picture by a thin class."""


def mask_overlay(
    image: npt.NDArray[Any],
    mask: Mask,
    palette: npt.NDArray[np.uint8],
    *,
    size: tuple[int, int],
    plain: Collection[int] = (),
    thin: Collection[int] = (),
) -> Picture:
    """Draw a mask over an image at the size at which both are shown.

    What does not count is light grey with white stripes, which no class is.

    Args:
        image: (H, W, C) of any type.
        mask: (H, W) classes, or 255.
        palette: (K, 3) their colors.
        size: height and width of the picture.
        plain: classes that are not colored, such as a background.
        thin: classes that outlines would hide: with any of them there are none, and these are
            colored more strongly and do not vanish in a reduced picture.

    Returns:
        uint8 RGB of that size.
    """
    from PIL import Image as Pillow

    height, width = size
    smooth = Pillow.Resampling.LANCZOS if width < mask.shape[1] else Pillow.Resampling.BICUBIC
    photo = np.asarray(Pillow.fromarray(display_rgb(image)).resize((width, height), smooth))
    labels = _resized(mask, size, thin)
    shares, colors = np.full(256, ALPHA, np.float32), np.zeros((256, 3), np.float32)
    shares[[*thin]], shares[[*plain, IGNORED]] = THIN_ALPHA, 0
    colors[: len(palette)] = palette
    drawn = photo.astype(np.float32)
    drawn += shares[labels][..., np.newaxis] * (colors[labels] - drawn)
    _stripe(drawn, labels == IGNORED)
    picture = np.rint(drawn).astype(np.uint8)
    return picture if thin else draw_overlay(picture, labels.astype(np.int32), alpha=0.0)


def plain_classes(masks: Sequence[Mask], classes: Sequence[str]) -> list[int]:
    """Classes to be left uncolored: a background, or what nearly everything is."""
    counts = _counts(masks)[: len(classes)]
    total = max(int(counts.sum()), 1)
    return [
        number
        for number, name in enumerate(classes)
        if name.casefold() == "background" or counts[number] > _MOSTLY * total
    ]


def thin_classes(masks: Sequence[Mask]) -> list[int]:
    """Classes that are nearly all edge, which outlines would hide."""
    edges = np.zeros(256, np.int64)
    for mask in masks:
        edges += np.bincount(mask[segment_borders(mask)], minlength=256)
    counts = _counts(masks)
    edges[IGNORED] = 0
    return np.flatnonzero(edges > _THIN * counts).tolist()


def _resized(mask: Mask, size: tuple[int, int], thin: Collection[int]) -> Mask:
    """The mask at another size (height, width), in which thin classes keep their lines."""
    from PIL import Image as Pillow

    small = Pillow.fromarray(mask).resize(size[::-1], Pillow.Resampling.NEAREST)
    labels = np.array(small)
    if size[0] < mask.shape[0]:
        for number in thin:
            there = Pillow.fromarray((mask == number).astype(np.float32))
            cover = np.asarray(there.resize(size[::-1], Pillow.Resampling.BOX))
            labels[cover > _LEAST_COVER] = number
    return labels


def _counts(masks: Sequence[Mask]) -> npt.NDArray[np.int64]:
    counts = np.zeros(256, np.int64)
    for mask in masks:
        counts += np.bincount(mask.ravel(), minlength=256)
    return counts


def _stripe(drawn: npt.NDArray[np.float32], ignored: npt.NDArray[np.bool_]) -> None:
    """Lighten what does not count and draw stripes over it, in place."""
    grey = drawn.mean(axis=-1, keepdims=True)
    light = grey + np.float32(_LIGHT) * (255 - grey)
    rows, columns = np.ogrid[: drawn.shape[0], : drawn.shape[1]]
    stripes = (rows + columns) % STRIPE < _STRIPE_WIDTH
    drawn[ignored] = np.where(stripes[..., np.newaxis], 255, light)[ignored]
