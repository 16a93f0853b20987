"""A map of numbers as a picture: the image in grey, the map beside it, and a scale to read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.overlays import Picture
from segmint.images.palettes import OUTSIDE_COLOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = "viridis"
"""Even to the eye, alike with color blindness and in grey print; no color of it is grey itself."""

TOP_PERCENTILE = 99.5
"""Of the values, where the scale ends: a few pixels shall not darken all others."""

DOTS_PER_INCH = 160

WIDE = 1.5
"""Width over height from which the map stands below the image instead of beside it."""

_MOST_STEPS = 5
_ABOVE = 1 + 1e-6
"""Times a round number; float32 knows it no better."""

_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601

# Inches.
_BESIDE, _BELOW = (4.0, 4.0), (6.4, 4.2)
_LEAST = (2.8, 2.4)
_EDGE, _GAP, _HEAD = 0.2, 0.25, 0.34
_BAR, _BAR_GAP, _NUMBERS = 0.16, 0.12, 0.95

# Points.
_HEAD_SIZE, _NUMBER_SIZE = 13.0, 11.0
_TEXT_COLOR = "#222222"


def draw_map(
    picture: Picture,
    values: npt.NDArray[np.floating[Any]],
    *,
    title: str,
    label: str,
    inside: npt.NDArray[np.bool_] | None = None,
    least_top: float = 0.0,
) -> Picture:
    """Draw a map that begins at 0 beside its image in grey, or below it where that is wide.

    The scale ends at a round number at or above the 99.5th percentile of the values; pixels above
    it have the last color, and then the scale says so.

    Args:
        picture: uint8 RGB (H, W, 3), for example from ``display_rgb``.
        values: (H, W), 0 or more.
        title: a few words above the map.
        label: what the scale counts, with its unit, for example "entropy (bits)".
        inside: (H, W) where the map says something; the rest is grey.
        least_top: the scale ends here at the lowest, so that noise about 0 stays dark.

    Returns:
        uint8 RGB on white, at most about 1600 pixels wide.

    Raises:
        InputError: when the arrays do not fit together, or a value inside is negative or not
            finite.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    where = np.ones(values.shape, np.bool_) if inside is None else inside
    _check(picture, values, where)
    marks = scale_marks(max(_percentile(values[where]), least_top))
    exceeds = bool((values[where] > marks[-1] * _ABOVE).any())
    places = _Places.of(values.shape)
    with style.context("default"):
        figure = places.figure()
        canvas = FigureCanvasAgg(figure)
        grey = _resized((picture @ _GREY).astype(np.float32), places.size)
        photo = np.rint(grey).astype(np.uint8)[..., np.newaxis].repeat(3, axis=-1)
        _show(figure, places, 0, photo, "image")
        _show(figure, places, 1, _colored(values, where, places.size, marks[-1]), title)
        _draw_scale(figure.add_axes(places.bar()), marks, label, exceeds=exceeds)
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def scale_marks(top: float) -> list[float]:
    """Round numbers at an even step from 0 to the first at or above ``top``, six at most.

    Example:
        >>> scale_marks(0.37)
        [0.0, 0.1, 0.2, 0.3, 0.4]
    """
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / _MOST_STEPS))
    step = next(
        each * power for each in (1, 2, 5, 10) if each * power * _MOST_STEPS * _ABOVE >= top
    )
    count = math.ceil(top / step / _ABOVE)
    return [round(index * step, 12) for index in range(count + 1)]


@dataclass(frozen=True)
class _Places:
    """Where everything stands; lengths in inches, boxes as shares of the figure."""

    across: float
    down: float
    slots: tuple[tuple[float, float], tuple[float, float]]
    """Left and top of the places for image and map."""
    slot: tuple[float, float]
    """Width and height of each."""
    size: tuple[int, int]
    """Height and width of the pictures in pixels; smaller images grow by whole factors."""

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> _Places:
        below = shape[1] > WIDE * shape[0]
        widest, highest = _BELOW if below else _BESIDE
        scale = min(widest / shape[1], highest / shape[0]) * DOTS_PER_INCH
        factor = scale if scale < 1 else int(scale)
        size = max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)
        slot = max(size[1] / DOTS_PER_INCH, _LEAST[0]), max(size[0] / DOTS_PER_INCH, _LEAST[1])
        left, top = first = (_EDGE, _EDGE + _HEAD)
        second = (left, top + slot[1] + _GAP + _HEAD) if below else (left + slot[0] + _GAP, top)
        across = second[0] + slot[0] + _BAR_GAP + _BAR + _NUMBERS + _EDGE
        return cls(across, second[1] + slot[1] + _EDGE, (first, second), slot, size)

    def figure(self) -> Figure:
        from matplotlib.figure import Figure

        return Figure((self.across, self.down), dpi=DOTS_PER_INCH, facecolor="white")

    def picture(self, index: int) -> tuple[float, float, float, float]:
        """Box in the middle of a slot, which a picture fills dot by dot."""
        across, down = self.across * DOTS_PER_INCH, self.down * DOTS_PER_INCH
        left, top = (side * DOTS_PER_INCH for side in self.slots[index])
        left = round(left + (self.slot[0] * DOTS_PER_INCH - self.size[1]) / 2)
        top = round(top + (self.slot[1] * DOTS_PER_INCH - self.size[0]) / 2)
        rows, columns = self.size
        return left / across, 1 - (top + rows) / down, columns / across, rows / down

    def bar(self) -> tuple[float, float, float, float]:
        """Box of the scale, beside the map."""
        left, top = self.slots[1][0] + self.slot[0] + _BAR_GAP, self.slots[1][1]
        bottom = 1 - (top + self.slot[1]) / self.down
        return left / self.across, bottom, _BAR / self.across, self.slot[1] / self.down

    def head(self, index: int) -> tuple[float, float]:
        """Middle of the line above a picture."""
        left, top, _, height = self.picture(index)
        width = self.size[1] / DOTS_PER_INCH / self.across
        return left + width / 2, top + height + _HEAD / 2 / self.down


def _check(picture: Picture, values: npt.NDArray[Any], inside: npt.NDArray[np.bool_]) -> None:
    if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"picture is {picture.dtype} of shape {picture.shape}, accepted is uint8 (H, W, 3): "
            "pass display_rgb(pixels)"
        )
    if not values.shape == inside.shape == picture.shape[:2]:
        raise InputError(
            f"values have shape {values.shape} and the region {inside.shape}, accepted is "
            f"{picture.shape[:2]}: pass the map of this picture"
        )
    wrong = values[inside & ~(np.isfinite(values) & (values >= 0))]
    if wrong.size:
        raise InputError(f"values hold {wrong[0]}, accepted are finite numbers from 0 on")


def _percentile(values: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.percentile(values, TOP_PERCENTILE)) if values.size else 0.0


def _resized(values: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Smaller by means of pixels, larger by copies."""
    from PIL import Image as Pillow

    kernel = Pillow.Resampling.BOX if size[1] < values.shape[1] else Pillow.Resampling.NEAREST
    return np.asarray(Pillow.fromarray(values).resize(size[::-1], kernel))


def _colored(
    values: npt.NDArray[np.floating[Any]],
    inside: npt.NDArray[np.bool_],
    size: tuple[int, int],
    top: float,
) -> Picture:
    from matplotlib import colormaps

    cover = _resized(inside.astype(np.float32), size)
    total = _resized(np.where(inside, values, 0).astype(np.float32), size)
    share = np.clip(total / np.maximum(cover, 1e-6) / top, 0, 1)
    colors = np.asarray(colormaps[COLORS](share, bytes=True))[..., :3]
    return np.where(cover[..., np.newaxis] >= 0.5, colors, np.array(OUTSIDE_COLOR, np.uint8))


def _show(figure: Figure, places: _Places, index: int, picture: Picture, title: str) -> None:
    axes = figure.add_axes(places.picture(index))
    axes.set_axis_off()
    axes.imshow(picture, aspect="auto", interpolation="nearest")
    left, middle = places.head(index)
    figure.text(
        left,
        middle,
        title,
        size=_HEAD_SIZE,
        color=_TEXT_COLOR,
        ha="center",
        va="center_baseline",
        parse_math=False,
    )


def _draw_scale(axes: Axes, marks: list[float], label: str, *, exceeds: bool) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Normalize

    scale = Colorbar(axes, ScalarMappable(Normalize(0, marks[-1]), COLORS), ticks=marks)
    numbers = [f"{mark:g}" for mark in marks]
    if exceeds:
        numbers[-1] = f"\N{GREATER-THAN OR EQUAL TO} {numbers[-1]}"
    axes.set_yticklabels(numbers, size=_NUMBER_SIZE, color=_TEXT_COLOR)
    axes.tick_params(length=0, pad=5)
    axes.set_ylabel(label, size=_NUMBER_SIZE + 1, color=_TEXT_COLOR, labelpad=8, parse_math=False)
    scale.outline.set_visible(False)
