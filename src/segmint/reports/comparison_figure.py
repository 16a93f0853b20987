"""Image, truth and the prediction of every row in one picture, for a talk or a paper."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segmint.comparisons.table import ComparisonTable
from segmint.reports.class_legend import Entry, class_entries, column_legend
from segmint.reports.class_picture import Picture
from segmint.reports.comparison_cells import place, shortened
from segmint.reports.comparison_examples import ComparisonExample
from segmint.reports.comparison_panels import as_mask, comparison_panels
from segmint.reports.example_panels import ExamplePanel
from segmint.reports.legend import ROW, TextLine, fitted, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 160

LONGEST_NAME = 32
"""Letters of the name of an image."""

MOST_COLUMNS = 7
"""Pictures side by side; more stand in lines of about equal length."""

COMPONENTS = (
    "Colors number the components of one picture; outlines are where they meet. Of several "
    "annotators the truth is the one with most segments."
)

# Inches.
_PANEL = 2.05
_GAP = 0.08
_EDGE = 0.2
_TITLE = 0.36
_NOTE = 0.25
_NAME = 0.27
_HEAD = 0.25
_BELOW = 0.16

# Points.
_TITLE_SIZE = 15.0
_NOTE_SIZE = 10.0
_NAME_SIZE = 11.0
_HEAD_SIZE = 10.5

_INK = "#222222"
_SOFT = "#555555"

_FLATTEST, _STEEPEST = 0.4, 1.3
"""Height over width, between which an image fills its panel."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """One image on the sheet; places in inches from the top."""

    example: ComparisonExample
    panels: list[ExamplePanel]
    top: float
    columns: int

    @property
    def height(self) -> float:
        """Of a panel."""
        rows, columns = self.example.image.shape[:2]
        return _PANEL * float(min(max(rows / columns, _FLATTEST), _STEEPEST))

    @property
    def bottom(self) -> float:
        """Where the next one may begin."""
        lines = math.ceil(len(self.panels) / self.columns)
        return self.top + _NAME + lines * (_HEAD + self.height + _GAP) + _BELOW

    def corner(self, index: int) -> tuple[float, float]:
        """Left and top of the picture of a panel."""
        line, column = divmod(index, self.columns)
        top = self.top + _NAME + line * (_HEAD + self.height + _GAP) + _HEAD
        return _EDGE + column * (_PANEL + _GAP), top


def draw_comparison_figure(
    table: ComparisonTable, examples: Sequence[ComparisonExample]
) -> Picture:
    """Draw the examples one below the other, over a legend of their classes.

    Args:
        table: whose rows they show.
        examples: at least one.

    Returns:
        uint8 RGB, about 340 pixels a panel.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.context("default"), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas = FigureCanvasAgg(_figure(table, examples))
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def choice_told(table: ComparisonTable, examples: Sequence[ComparisonExample]) -> str:
    """How the images were chosen, for captions."""
    ranks = [example.rank for example in examples]
    named = " and ".join([", ".join(ranks[:-1]), ranks[-1]] if len(ranks) > 1 else ranks)
    return (
        f"The {named} of {table.n_images:,} images by {table.main.title}, mean over all rows and "
        "seeds, not picked by hand; shown is the first seed of each row."
    )


def legend_of(examples: Sequence[ComparisonExample]) -> list[Entry]:
    """Names and colors of the classes that some picture shows."""
    first = examples[0]
    if first.palette is None:
        return []
    shown = [each for example in examples for each in example.predictions.values()]
    shown += [example.truth for example in examples if example.truth is not None]
    return class_entries(map(as_mask, shown), first.classes, first.palette)


def rank_told(table: ComparisonTable, example: ComparisonExample) -> tuple[str, str]:
    """``best: street-7``, and the average that ranked it, ``, mean IoU 0.812 on average``."""
    told = "" if example.mean is None else f", {table.main.title} {example.mean:.3f} on average"
    return f"{example.rank}: {shortened(example.name, LONGEST_NAME)}", told


def panel_title(example: ComparisonExample, panel: ExamplePanel) -> tuple[str, str]:
    """What a panel is called, and its score where it has one."""
    score = example.scores.get(panel.title)
    return panel.title, "" if score is None else f"{score:.3f}"


def _figure(table: ComparisonTable, examples: Sequence[ComparisonExample]) -> Figure:
    from matplotlib.figure import Figure

    panels = [comparison_panels(example) for example in examples]
    columns = _columns(max(map(len, panels)))
    right = _EDGE + columns * (_PANEL + _GAP) - _GAP
    notes = list(_notes(table, examples, right - _EDGE))
    top = _EDGE + _TITLE + _NOTE * len(notes) + _BELOW / 2
    blocks: list[_Block] = []
    for example, own in zip(examples, panels, strict=True):
        blocks.append(_Block(example=example, panels=own, top=top, columns=columns))
        top = blocks[-1].bottom
    lines = column_legend(legend_of(examples), left=_EDGE, width=right - _EDGE, top=top)
    bottom = max([top, *(line.middle + ROW / 2 for line in lines)])
    figure = Figure((right + _EDGE, bottom + _EDGE / 2), dpi=DOTS_PER_INCH, facecolor="white")
    lines.append(_line(place(table), _EDGE + _TITLE / 2, _TITLE_SIZE, right - _EDGE))
    for index, note in enumerate(notes):
        middle = _EDGE + _TITLE + (index + 0.4) * _NOTE
        lines.append(_line(note, middle, _NOTE_SIZE, right - _EDGE, color=_SOFT))
    for block in blocks:
        _draw_block(figure, block, table, right - _EDGE)
    for line in lines:
        line.draw(figure)
    return figure


def _columns(panels: int) -> int:
    """Lines of about equal length."""
    return math.ceil(panels / math.ceil(panels / MOST_COLUMNS))


def _notes(
    table: ComparisonTable, examples: Sequence[ComparisonExample], width: float
) -> Iterator[str]:
    yield from _wrapped(choice_told(table, examples), width)
    if examples[0].palette is None:
        yield from _wrapped(COMPONENTS, width)


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Lines that fit a width in inches."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, _NOTE_SIZE) > width:
            yield line
            longer = word
        line = longer
    yield line


def _line(text: str, middle: float, size: float, width: float, color: str = _INK) -> TextLine:
    shown = fitted(text, size, width)
    return TextLine(text=shown, left=_EDGE, middle=middle, size=size, color=color)


def _draw_block(figure: Figure, block: _Block, table: ComparisonTable, width: float) -> None:
    example = block.example
    name, told = rank_told(table, example)
    name = fitted(name, _NAME_SIZE, width - text_width(told, _NAME_SIZE))
    _line(name + told, block.top + 0.4 * _NAME, _NAME_SIZE, width).draw(figure)
    for index, panel in enumerate(block.panels):
        left, top = block.corner(index)
        title, score = panel_title(example, panel)
        beside = f"  {score}" if score else ""
        shown = fitted(title, _HEAD_SIZE, _PANEL - text_width(beside, _HEAD_SIZE)) + beside
        TextLine(
            text=shown,
            left=left + _PANEL / 2,
            middle=top - 0.5 * _HEAD,
            size=_HEAD_SIZE,
            centered=True,
        ).draw(figure)
        _draw_picture(figure, panel, example.image.shape, (left, top), block.height)


def _draw_picture(
    figure: Figure,
    panel: ExamplePanel,
    shape: tuple[int, ...],
    corner: tuple[float, float],
    height: float,
) -> None:
    """Draw a panel at the top of its place, dot by dot, without another change of its size."""
    scale = min(_PANEL / shape[1], height / shape[0])
    rows, columns = (max(round(side * scale * DOTS_PER_INCH), 1) for side in shape[:2])
    across, down = figure.get_size_inches() * DOTS_PER_INCH
    left = round((corner[0] + _PANEL / 2) * DOTS_PER_INCH - columns / 2)
    top = round(corner[1] * DOTS_PER_INCH)
    axes = figure.add_axes((left / across, 1 - (top + rows) / down, columns / across, rows / down))
    axes.set_axis_off()
    axes.imshow(panel.draw((rows, columns)), aspect="auto", interpolation="nearest")
