"""Labels drawn over their image: translucent colors with outlines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError, UsageError
from segmint.images.palettes import colors_of
from segmint.runs import atomic_path

Picture = npt.NDArray[np.uint8]

SIDE_PER_LINE_PIXEL = 500
"""A picture whose shorter side is this long has outlines one pixel wide."""

EDGE_DARKNESS = np.float32(0.6)
"""How much of the picture's light the edges of an outline take away."""

FAINTEST_LINE = 0.15
"""Strength of outlines among specks, where those of whole areas have 1."""


def draw_overlay(
    picture: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer[Any]],
    *,
    colors: npt.NDArray[np.uint8] | None = None,
    alpha: float = 0.45,
    outline_width: float | None = None,
) -> Picture:
    """The picture under translucent label colors, with an outline around each area.

    Args:
        picture: uint8 RGB (H, W, 3), for example from ``display_rgb``.
        labels: (H, W) ids; pixels below 0 lie outside the region and are greyed.
        colors: uint8 (K, 3), the color of id k in row k; the fixed palette when not given.
        alpha: share of the label color in the fill, 0 to 1.
        outline_width: width of the light line in pixels, 0 for none; grows with the picture when
            not given.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        InputError: when picture and labels do not fit together, or an id has no color.
        UsageError: for an alpha outside 0..1 or a negative width.
    """
    _check(picture, labels, colors, alpha, outline_width)
    chosen = colors_of(labels) if colors is None else colors[np.maximum(labels, 0)]
    inside = labels >= 0
    drawn = picture * np.float32(1 - alpha) + chosen * np.float32(alpha)
    if not inside.all():
        grey = picture.mean(axis=-1, keepdims=True, dtype=np.float32)
        drawn = np.where(inside[..., np.newaxis], drawn, 0.5 * grey + 64)
    width = _line_width(labels.shape) if outline_width is None else outline_width
    if width > 0:
        _draw_outlines(drawn, labels, width)
    return np.rint(drawn).astype(np.uint8)


def save_picture(path: Path, picture: Picture) -> None:
    """Write a uint8 RGB (H, W, 3) or grey (H, W) picture as PNG, whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    from PIL import Image as Pillow

    with atomic_path(path) as temporary:
        # Level 6 takes three times as long for a file a tenth smaller.
        Pillow.fromarray(picture).save(temporary, format="PNG", compress_level=2)


def _draw_outlines(
    drawn: npt.NDArray[np.float32], labels: npt.NDArray[np.integer[Any]], width: float
) -> None:
    """Draw a white line with dark edges where labels meet, in place; one shows on any ground."""
    from scipy import ndimage

    borders = _borders(labels)
    if not borders.any():
        return
    reach = width / 2 + max(0.6, width / 2) + 0.5
    near = ndimage.maximum_filter(borders, size=2 * math.ceil(reach) + 1)
    distance = ndimage.distance_transform_edt(~borders)[near]
    strength = _line_strength(borders, near, width)
    dark = EDGE_DARKNESS * strength * np.clip(reach - distance, 0, 1)
    light = strength * np.clip(width / 2 + 0.5 - distance, 0, 1)
    ground = drawn[near] * (1 - dark)[:, np.newaxis].astype(np.float32)
    drawn[near] = ground + (255 - ground) * light[:, np.newaxis].astype(np.float32)


def _line_strength(
    borders: npt.NDArray[np.bool_], near: npt.NDArray[np.bool_], width: float
) -> npt.NDArray[np.float64]:
    """How strongly to draw each outline: faint among specks, which lines would bury.

    A window eight lines wide is covered by a ninth where one border crosses it, by a quarter
    where a few meet, and by more only among specks.
    """
    from scipy import ndimage

    cover = ndimage.uniform_filter(borders.astype(np.float32), size=2 * round(4 * width) + 1)
    return np.asarray(np.interp(cover[near] * width, [0.24, 0.4], [1.0, FAINTEST_LINE]))


def _borders(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.bool_]:
    """Pixels whose right or lower neighbor has another label: closed lines one pixel wide."""
    borders = np.zeros(labels.shape, dtype=np.bool_)
    borders[:, :-1] = labels[:, :-1] != labels[:, 1:]
    borders[:-1] |= labels[:-1] != labels[1:]
    return borders


def _line_width(shape: tuple[int, ...]) -> float:
    return max(1.0, min(shape) / SIDE_PER_LINE_PIXEL)


def _check(
    picture: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    colors: npt.NDArray[np.uint8] | None,
    alpha: float,
    outline_width: float | None,
) -> None:
    if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"picture is {picture.dtype} of shape {picture.shape}, accepted is uint8 (H, W, 3): "
            "pass display_rgb(pixels)"
        )
    if labels.shape != picture.shape[:2] or labels.dtype.kind not in "ui":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}, accepted are integers of shape "
            f"{picture.shape[:2]}: pass the labels of this picture"
        )
    if colors is not None and int(labels.max(initial=0)) >= len(colors):
        raise InputError(
            f"labels go up to {int(labels.max())} and {len(colors)} colors are given, accepted is "
            "a color for each id: pass more"
        )
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha is {alpha}, accepted is 0 to 1")
    if outline_width is not None and outline_width < 0:
        raise UsageError(f"outline width is {outline_width}, accepted is 0 or more")
