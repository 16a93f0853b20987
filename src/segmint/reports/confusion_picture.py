"""The confusion matrix as a picture: which class is taken for which."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.metrics import Confusion
from segmint.reports.class_picture import Picture
from segmint.reports.legend import fitted, text_width

MOST_CLASSES = 24
"""That a picture shows; of more, those with the most pixels."""

MOST_NUMBERED = 15
"""Classes of a picture whose cells have numbers."""

DOTS_PER_INCH = 160

COLOR_MAP = "Blues"
"""One hue from white, which reads the same with color blindness and in print."""

_NO_TRUTH = "#d9d9d9"
"""Of the row of a class that occurs in predictions alone."""

# Inches.
_CELL = 0.42
_EDGE = 0.15
_LONGEST_NAME = 1.6
_BESIDE = 0.45
_SCALE = 0.95

# Points.
_NAME_SIZE = 10.0
_NUMBER_SIZE = 8.5

_LEAST_SHOWN = 0.005
_DARK = 0.5
"""Shares above this are dark enough for white numbers."""


def draw_confusion(matrix: Confusion, classes: Sequence[str]) -> Picture:
    """Draw of each true class which share of its pixels was predicted as what.

    Args:
        matrix: over at least one pixel.
        classes: the name of each number.

    Returns:
        uint8 RGB; a true class a row, a predicted one a column.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.context("default"), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas = FigureCanvasAgg(_figure(matrix, classes))
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def shown_classes(matrix: Confusion) -> list[int]:
    """Positions of the classes that occur in truth or prediction, at most ``MOST_CLASSES``."""
    pixels = matrix.counts.sum(axis=1) + matrix.counts.sum(axis=0)
    ranked = np.argsort(-pixels, kind="stable")[:MOST_CLASSES]
    return sorted(index for index in ranked.tolist() if pixels[index])


def shares(matrix: Confusion) -> npt.NDArray[np.float64]:
    """(C, C) share of the pixels of each true class, NaN where it has none."""
    counts = matrix.counts.astype(np.float64)
    total = counts.sum(axis=1, keepdims=True)
    found: npt.NDArray[np.float64] = np.full(counts.shape, np.nan)
    np.divide(counts, total, out=found, where=total > 0)
    return found


def _figure(matrix: Confusion, classes: Sequence[str]) -> Any:
    from matplotlib.figure import Figure

    chosen = shown_classes(matrix)
    names = [fitted(classes[index], _NAME_SIZE, _LONGEST_NAME) for index in chosen]
    side = _CELL * len(chosen)
    longest = max(text_width(name, _NAME_SIZE) for name in names)
    left = _EDGE + _BESIDE + longest
    width, height = left + side + _SCALE + _EDGE, _EDGE + side + longest + _BESIDE
    figure = Figure((width, height), dpi=DOTS_PER_INCH, facecolor="white")
    box = (left / width, 1 - (_EDGE + side) / height, side / width, side / height)
    axes = figure.add_axes(box)
    values = shares(matrix)[np.ix_(chosen, chosen)]
    axes.set_facecolor(_NO_TRUTH)
    drawn = axes.imshow(values, cmap=COLOR_MAP, vmin=0, vmax=1, aspect="auto")
    _name_axes(axes, names)
    if len(chosen) <= MOST_NUMBERED:
        _write_numbers(axes, values)
    scale_box = ((left + side + 0.15) / width, box[1], 0.14 / width, box[3])
    scale = figure.colorbar(drawn, cax=figure.add_axes(scale_box), ticks=[0, 0.5, 1])
    scale.ax.set_yticklabels(["0 %", "50 %", "100 %"], size=_NAME_SIZE)
    scale.outline.set_visible(False)
    return figure


def _name_axes(axes: Any, names: Sequence[str]) -> None:
    places = range(len(names))
    axes.set_xticks(places, names, rotation=90, size=_NAME_SIZE, parse_math=False)
    axes.set_yticks(places, names, size=_NAME_SIZE, parse_math=False)
    axes.set_xlabel("predicted", size=_NAME_SIZE + 1)
    axes.set_ylabel("true", size=_NAME_SIZE + 1)
    edges = [place + 0.5 for place in range(len(names) - 1)]
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="#e3e7ea", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_color("#aab2b9")


def _write_numbers(axes: Any, values: npt.NDArray[np.float64]) -> None:
    """Percent in each cell; nothing where less than half a percent went."""
    for row, column in np.argwhere(values >= _LEAST_SHOWN).tolist():
        value = values[row, column]
        axes.text(
            column,
            row,
            f"{100 * value:.0f}",
            ha="center",
            va="center_baseline",
            size=_NUMBER_SIZE,
            color="white" if value > _DARK else "black",
        )
