"""Images with their masks drawn over them, on one sheet with the names of the classes."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmint.images import save_picture, to_hex
from segmint.reports.legend import ROW, TextLine, fitted, text_width
from segmint.reports.mask_overlay import IGNORED, mask_overlay, plain_classes, thin_classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = npt.NDArray[np.uint8]

COLUMNS = 4
DOTS_PER_INCH = 150

# Inches.
_WIDTH = 12.4
_TALLEST = 3.2
_GAP = 0.12
_EDGE = 0.2
_TITLE = 0.28
_SWATCH = 0.24
_BETWEEN_NAMES = 0.3
_WIDEST_NAME = 3.5

# Points.
_TITLE_SIZE = 9.0
_NAME_SIZE = 11.0

_FLATTEST, _STEEPEST = 3.0, 0.5
"""Width over height, between which images fill their place."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """One image on the sheet."""

    title: str
    image: npt.NDArray[Any]
    """(H, W, C), of any type."""
    mask: npt.NDArray[np.uint8]
    """(H, W) classes, or 255 where nothing counts."""


@dataclass(frozen=True)
class _Box:
    """A place on the sheet, in inches from the left and from the top."""

    left: float
    top: float
    width: float
    height: float


def write_overlay_sheet(
    path: Path, tiles: Sequence[Tile], classes: Sequence[str], palette: npt.NDArray[np.uint8]
) -> None:
    """Write :func:`draw_overlay_sheet` as PNG, whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    save_picture(path, draw_overlay_sheet(tiles, classes, palette))


def draw_overlay_sheet(
    tiles: Sequence[Tile], classes: Sequence[str], palette: npt.NDArray[np.uint8]
) -> Picture:
    """Draw images with their masks, four in a row, over a legend of the classes they show.

    Args:
        tiles: at least one.
        classes: name of each number in the masks.
        palette: uint8 (K, 3), their colors.

    Returns:
        uint8 RGB, 1920 pixels wide.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.context("default"), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas = FigureCanvasAgg(_figure(tiles, classes, palette))
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def _figure(
    tiles: Sequence[Tile], classes: Sequence[str], palette: npt.NDArray[np.uint8]
) -> Figure:
    from matplotlib.figure import Figure

    masks = [tile.mask for tile in tiles]
    plain = plain_classes(masks, classes)
    boxes = _boxes(tiles)
    below = boxes[-1].top + max(box.height for box in boxes[-COLUMNS:]) + _GAP
    legend = _legend(_entries(masks, classes, palette, plain), top=below)
    bottom = max([below, *(line.middle + ROW / 2 for line in legend)])
    size = (_WIDTH + 2 * _EDGE, bottom + _EDGE / 2)
    figure = Figure(size, dpi=DOTS_PER_INCH, facecolor="white")
    thin = thin_classes(masks)
    for tile, box in zip(tiles, boxes, strict=True):
        text = fitted(tile.title, _TITLE_SIZE, box.width)
        title = TextLine(text=text, left=box.left, middle=box.top - 0.4 * _TITLE, size=_TITLE_SIZE)
        title.draw(figure)
        place = _fitting(tile.mask.shape, box)
        pixels = (round(place.height * DOTS_PER_INCH), round(place.width * DOTS_PER_INCH))
        picture = mask_overlay(
            tile.image,
            tile.mask,
            palette,
            size=(max(pixels[0], 1), max(pixels[1], 1)),
            plain=plain,
            thin=thin,
        )
        _draw_picture(figure, picture, place)
    for line in legend:
        line.draw(figure)
    return figure


def _boxes(tiles: Sequence[Tile]) -> list[_Box]:
    """A place for each tile: rows of images of one height that fill the width of the sheet."""
    boxes: list[_Box] = []
    top, height = _EDGE, _TALLEST
    for start in range(0, len(tiles), COLUMNS):
        row = tiles[start : start + COLUMNS]
        ratios = [_ratio(tile) for tile in row]
        filling = (_WIDTH - _GAP * (len(row) - 1)) / sum(ratios)
        # A row that is not full is no taller than the one above it.
        height = min(filling, height if len(row) < COLUMNS else _TALLEST)
        left, top = _EDGE, top + _TITLE
        for ratio in ratios:
            boxes.append(_Box(left, top, ratio * height, height))
            left += ratio * height + _GAP
        top += height + _GAP
    return boxes


def _ratio(tile: Tile) -> float:
    height, width = tile.mask.shape
    return float(min(max(width / height, _STEEPEST), _FLATTEST))


def _fitting(shape: tuple[int, ...], box: _Box) -> _Box:
    """The part of a place that an image fills without being distorted."""
    scale = min(box.height / shape[0], box.width / shape[1])
    height, width = scale * shape[0], scale * shape[1]
    return _Box(
        box.left + (box.width - width) / 2, box.top + (box.height - height) / 2, width, height
    )


def _entries(
    masks: Sequence[npt.NDArray[np.uint8]],
    classes: Sequence[str],
    palette: npt.NDArray[np.uint8],
    plain: Collection[int],
) -> Iterator[tuple[str, str | None]]:
    """Name and color of every class that has a pixel on the sheet, those without color last."""
    present = np.zeros(256, np.bool_)
    for mask in masks:
        present |= np.bincount(mask.ravel(), minlength=256) > 0
    numbers = np.flatnonzero(present).tolist()
    for number in numbers:
        if number < len(classes) and number not in plain:
            red, green, blue = palette[number].tolist()
            yield classes[number], to_hex((red, green, blue))
    if IGNORED in numbers:
        yield "not counted (striped)", "#d9d9d9"
    for number in numbers:
        if number in plain:
            yield f"{classes[number]} (not colored)", None


def _legend(entries: Iterator[tuple[str, str | None]], *, top: float) -> list[TextLine]:
    """Squares and names in columns of one width."""
    named = list(entries)
    widest = min(max(text_width(name, _NAME_SIZE) for name, _ in named), _WIDEST_NAME)
    step = _SWATCH + widest + _BETWEEN_NAMES
    columns = int(_WIDTH / step)
    return [
        TextLine(
            text=fitted(name, _NAME_SIZE, widest),
            left=_EDGE + index % columns * step + (_SWATCH if color else 0),
            middle=top + (index // columns + 0.5) * ROW,
            size=_NAME_SIZE,
            swatch=color,
        )
        for index, (name, color) in enumerate(named)
    ]


def _draw_picture(figure: Figure, picture: Picture, box: _Box) -> None:
    across, down = figure.get_size_inches()
    height = box.height / down
    axes = figure.add_axes(
        (box.left / across, 1 - box.top / down - height, box.width / across, height)
    )
    axes.set_axis_off()
    axes.imshow(picture, aspect="auto", interpolation="nearest")
