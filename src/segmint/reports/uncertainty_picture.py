"""How unsure a run is of each pixel, as a picture of the size of the others beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images import to_hex
from segmint.images.map_picture import COLORS, TOP_PERCENTILE, scale_marks
from segmint.images.palettes import OUTSIDE_COLOR
from segmint.reports.class_picture import Picture, Size
from segmint.reports.page import Scale

Bits = npt.NDArray[np.float32]

LEAST_TOP = 0.1
"""Where a scale ends at the lowest, in bits: below it there is next to nothing to see."""

_STEPS = 9
"""Colors that the strip of a scale is mixed from."""


def scale_top(maps: Sequence[Bits]) -> float:
    """Where the scale of several maps ends: a round number that few of their pixels exceed.

    Args:
        maps: (H, W) each, NaN where they say nothing; of any sizes.

    Example:
        >>> scale_top([np.full((2, 2), 0.37, np.float32), np.zeros((1, 1), np.float32)])
        0.4
    """
    tops = [_percentile(values[~np.isnan(values)]) for values in maps]
    return scale_marks(max([*tops, LEAST_TOP]))[-1]


def uncertainty_picture(values: Bits, *, top: float, size: Size) -> Picture:
    """A map in the colors of :func:`uncertainty_scale`.

    Args:
        values: (H, W) from 0 on; grey where it is NaN.
        top: what the last color stands for, and everything above it.
        size: height and width of the picture.

    Returns:
        uint8 RGB of that size.
    """
    from matplotlib import colormaps

    known = ~np.isnan(values)
    cover = _resized(known.astype(np.float32), size)
    total = _resized(np.where(known, values, np.float32(0)), size)
    share = np.clip(total / np.maximum(cover, 1e-6) / top, 0, 1)
    colors = np.asarray(colormaps[COLORS](share, bytes=True))[..., :3]
    return np.where(cover[..., np.newaxis] >= 0.5, colors, np.array(OUTSIDE_COLOR, np.uint8))


def uncertainty_scale(title: str, top: float, *, more: bool = True) -> Scale:
    """What the colors of :func:`uncertainty_picture` mean.

    Args:
        title: of the map, without its unit, which is bits.
        top: as there.
        more: whether a value can be above that.
    """
    from matplotlib import colormaps

    steps: list[list[int]] = np.asarray(
        colormaps[COLORS](np.linspace(0, 1, _STEPS), bytes=True)
    ).tolist()
    return Scale(
        title=title,
        low="0",
        high=f"{top:.3g} bits{' or more' if more else ''}",
        colors=tuple(to_hex((red, green, blue)) for red, green, blue, _ in steps),
    )


def _percentile(values: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.percentile(values, TOP_PERCENTILE)) if values.size else 0.0


def _resized(values: Bits, size: Size) -> Bits:
    """Smaller by means of pixels, larger by copies."""
    from PIL import Image as Pillow

    kernel = Pillow.Resampling.BOX if size[1] < values.shape[1] else Pillow.Resampling.NEAREST
    return np.asarray(Pillow.fromarray(values).resize(size[::-1], kernel))
