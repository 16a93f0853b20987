"""Examples on one sheet, for a talk or a paper: image, truth and prediction side by side."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segmint.images import save_picture
from segmint.reports.class_legend import class_entries, column_legend
from segmint.reports.class_picture import Picture
from segmint.reports.example_panels import ExamplePanel, example_panels
from segmint.reports.legend import ROW, TextLine, fitted
from segmint.reports.run_examples import Example

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 160

MOST_IN_ONE_COLUMN = 3
"""Examples that stand one below the other; more stand in two columns."""

MOST_PANELS_IN_HALF = 4
"""Panels of an example that leave room for a second one beside it."""

# Inches.
_PANEL = 2.05
_GAP = 0.08
_BETWEEN = 0.4
_EDGE = 0.2
_TITLE = 0.36
_NOTE = 0.28
_HEAD = 0.26
_NAME = 0.26
_BELOW = 0.14

# Points.
_TITLE_SIZE = 15.0
_HEAD_SIZE = 11.5
_NAME_SIZE = 9.5
_NOTE_SIZE = 10.0

_NOTE_COLOR = "#555555"

_FLATTEST, _STEEPEST = 0.45, 1.3
"""Height over width, between which an image fills its panel."""


@dataclass(frozen=True)
class _Row:
    """One example on the sheet; places in inches from the left and the top."""

    example: Example
    panels: list[ExamplePanel]
    left: float
    top: float
    height: float
    """Of its pictures."""
    headed: bool
    """Whether the titles of the panels stand above it."""


def write_example_sheet(
    path: Path,
    examples: Sequence[Example],
    classes: Sequence[str],
    palette: npt.NDArray[np.uint8],
    *,
    title: str,
    note: str = "",
) -> None:
    """Write :func:`draw_example_sheet` as PNG, whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    save_picture(path, draw_example_sheet(examples, classes, palette, title=title, note=note))


def draw_example_sheet(
    examples: Sequence[Example],
    classes: Sequence[str],
    palette: npt.NDArray[np.uint8],
    *,
    title: str,
    note: str = "",
) -> Picture:
    """Draw examples one below the other, or in two columns, over a legend of their classes.

    Args:
        examples: at least one.
        classes: the name of each number.
        palette: uint8 (K, 3), their colors.
        title: one line above.
        note: smaller lines below it, such as how the examples were chosen.

    Returns:
        uint8 RGB; two columns of images and two masks are about 2100 pixels wide.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.context("default"), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas = FigureCanvasAgg(_figure(examples, classes, palette, title, note))
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def _figure(
    examples: Sequence[Example],
    classes: Sequence[str],
    palette: npt.NDArray[np.uint8],
    title: str,
    note: str,
) -> Figure:
    from matplotlib.figure import Figure

    notes = note.splitlines()
    rows = _rows(examples, palette, top=_EDGE + _TITLE + _NOTE * len(notes))
    right = max(row.left + _group_width(len(row.panels)) for row in rows)
    below = max(row.top + _above(row) + row.height for row in rows) + _BELOW
    masks = [mask for each in examples for mask in (each.truth, each.labels) if mask is not None]
    entries = class_entries(masks, classes, palette)
    lines = column_legend(entries, left=_EDGE, width=right - _EDGE, top=below)
    bottom = max([below, *(line.middle + ROW / 2 for line in lines)])
    figure = Figure((right + _EDGE, bottom + _EDGE / 2), dpi=DOTS_PER_INCH, facecolor="white")
    lines.append(_line(title, _EDGE + _TITLE / 2, _TITLE_SIZE, right - _EDGE))
    for index, text in enumerate(notes):
        middle = _EDGE + _TITLE + (index + 0.4) * _NOTE
        lines.append(_line(text, middle, _NOTE_SIZE, right - _EDGE, color=_NOTE_COLOR))
    for row in rows:
        _draw_row(figure, row)
    for line in lines:
        line.draw(figure)
    return figure


def _line(text: str, middle: float, size: float, width: float, color: str = "#222222") -> TextLine:
    shown = fitted(text, size, width)
    return TextLine(text=shown, left=_EDGE, middle=middle, size=size, color=color)


def _rows(examples: Sequence[Example], palette: npt.NDArray[np.uint8], *, top: float) -> list[_Row]:
    """A place for each example; those that stand beside each other are of one height."""
    panels = [example_panels(example, palette) for example in examples]
    most = max(map(len, panels))
    two = len(examples) > MOST_IN_ONE_COLUMN and most <= MOST_PANELS_IN_HALF
    columns = 2 if two else 1
    rows: list[_Row] = []
    for start in range(0, len(examples), columns):
        beside = examples[start : start + columns]
        height = max(_panel_height(example) for example in beside)
        for column, example in enumerate(beside):
            left = _EDGE + column * (_group_width(most) + _BETWEEN)
            rows.append(_Row(example, panels[start + column], left, top, height, headed=start == 0))
        top += _above(rows[-1]) + height + _BELOW
    return rows


def _panel_height(example: Example) -> float:
    height, width = example.labels.shape
    return _PANEL * float(min(max(height / width, _FLATTEST), _STEEPEST))


def _group_width(panels: int) -> float:
    return panels * (_PANEL + _GAP) - _GAP


def _above(row: _Row) -> float:
    """Inches of text above the pictures of a row."""
    return _NAME + (_HEAD if row.headed else 0)


def _draw_row(figure: Figure, row: _Row) -> None:
    top = row.top + _above(row)
    for index, panel in enumerate(row.panels):
        left = row.left + index * (_PANEL + _GAP)
        if row.headed:
            TextLine(
                text=fitted(panel.title, _HEAD_SIZE, _PANEL),
                left=left + _PANEL / 2,
                middle=row.top + _HEAD / 2,
                size=_HEAD_SIZE,
                centered=True,
            ).draw(figure)
        _draw_picture(figure, panel, row.example.labels.shape, (left, top), row.height)
    TextLine(
        text=_name(row.example, _group_width(len(row.panels))),
        left=row.left,
        middle=top - 0.45 * _NAME,
        size=_NAME_SIZE,
    ).draw(figure)


def _name(example: Example, width: float) -> str:
    """The name of an image and its score, of which the name is shortened where it is long."""
    score = "" if example.mean_iou is None else f"   mean IoU {example.mean_iou:.3f}"
    return fitted(example.name, _NAME_SIZE, width - 1.4 if score else width) + score


def _draw_picture(
    figure: Figure,
    panel: ExamplePanel,
    shape: tuple[int, ...],
    corner: tuple[float, float],
    height: float,
) -> None:
    """Draw a panel at the top of its place, dot by dot, without another change of its size."""
    scale = min(_PANEL / shape[1], height / shape[0])
    rows, columns = (max(round(side * scale * DOTS_PER_INCH), 1) for side in shape)
    across, down = figure.get_size_inches() * DOTS_PER_INCH
    left = round((corner[0] + _PANEL / 2) * DOTS_PER_INCH - columns / 2)
    top = round(corner[1] * DOTS_PER_INCH)
    axes = figure.add_axes((left / across, 1 - (top + rows) / down, columns / across, rows / down))
    axes.set_axis_off()
    axes.imshow(panel.draw((rows, columns)), aspect="auto", interpolation="nearest")
