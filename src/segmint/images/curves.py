"""Line charts of what changed over the iterations, as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segmint.errors import InputError
from segmint.images.palettes import color_of, to_hex

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 900, 540
"""Size of the picture in pixels."""

_DOTS_PER_INCH = 100
_TEXT_COLOR = "#222222"
_GRID_COLOR = "#dddddd"
_LABEL_SIZE = 12.0
_MOST_LABEL_LETTERS = 24
_STEPS = [1, 2, 5, 10]
_MARGIN = 0.16  # inches around everything

# Ids of the palette that stand out from white: contrast at least 2.9 to 1.
_LINE_IDS = (0, 3, 2, 5, 8, 10, 9, 13)


def draw_curve(
    rows: Sequence[Mapping[str, float]],
    *,
    x: str = "iteration",
    series: Sequence[str],
    label: str,
) -> bytes:
    """A chart of columns of a history, 900 x 540 pixels, on white.

    Several lines are named at their right ends. A value that is missing or not finite leaves a
    gap, and a value between gaps is a dot.

    Args:
        rows: one an iteration, for example the history of a result.
        x: the column of the horizontal axis, which also names it.
        series: the columns to draw, one line each.
        label: what the vertical axis counts, with its unit, for example "negative log-likelihood
            (nats per pixel)".

    Returns:
        The content of a PNG file.

    Raises:
        InputError: when no row holds a finite value of any of the series.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = {name: _points(rows, x, name) for name in series}
    if not any(math.isfinite(y) for _, ys in lines.values() for y in ys):
        raise InputError(
            f"history has no finite value of {', '.join(series) or 'no column'} by {x}, accepted "
            "is one or more: name columns that it has"
        )
    with style.context("default"):
        size = (WIDTH / _DOTS_PER_INCH, HEIGHT / _DOTS_PER_INCH)
        figure = Figure(figsize=size, dpi=_DOTS_PER_INCH, facecolor="white")
        figure.set_layout_engine("constrained", w_pad=_MARGIN, h_pad=_MARGIN)
        axes = figure.add_subplot()
        FigureCanvasAgg(figure)
        _draw_lines(axes, lines)
        _finish_axes(axes, x, label)
        if len(lines) > 1:
            _name_lines(axes, lines)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _points(
    rows: Sequence[Mapping[str, float]], x: str, name: str
) -> tuple[list[float], list[float]]:
    """Places of all rows, with NaN for the values that are missing."""
    placed = [(float(row[x]), row.get(name)) for row in rows if _is_finite(row.get(x))]
    ys = [float(y) if y is not None and _is_finite(y) else math.nan for _, y in placed]
    return [place for place, _ in placed], ys


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _draw_lines(axes: Axes, lines: Mapping[str, tuple[list[float], list[float]]]) -> None:
    for index, (xs, ys) in enumerate(lines.values()):
        color = _line_color(index)
        axes.plot(xs, ys, color=color, linewidth=2.2, solid_capstyle="round")
        alone = [place for place in range(len(ys)) if _is_alone(ys, place)]
        axes.plot(
            [xs[place] for place in alone],
            [ys[place] for place in alone],
            color=color,
            marker="o",
            markersize=7,
            linestyle="none",
        )


def _is_alone(ys: Sequence[float], place: int) -> bool:
    """Whether a value has no neighbor that a line could lead to."""
    around = [ys[other] for other in (place - 1, place + 1) if 0 <= other < len(ys)]
    return math.isfinite(ys[place]) and not any(math.isfinite(y) for y in around)


def _finish_axes(axes: Axes, x: str, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(x, size=13, color=_TEXT_COLOR, labelpad=8, parse_math=False)
    axes.set_ylabel(label, size=13, color=_TEXT_COLOR, labelpad=10, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=_STEPS, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=_STEPS))
    axes.ticklabel_format(useOffset=False)
    axes.tick_params(labelsize=12, colors=_TEXT_COLOR, length=0, pad=6)
    axes.grid(color=_GRID_COLOR, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.02, y=0.06)
    if axes.dataLim.width == 0:
        axes.set_xticks([axes.dataLim.x0])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_TEXT_COLOR)


def _name_lines(axes: Axes, lines: Mapping[str, tuple[list[float], list[float]]]) -> None:
    """Write each name beside the last value of its line, apart from the names of others."""
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    height = axes.get_window_extent().height
    ends: list[tuple[float, int, str]] = []
    for index, (name, (_, ys)) in enumerate(lines.items()):
        finite = [y for y in ys if math.isfinite(y)]
        if finite:
            ends.append((_share_of_height(axes, finite[-1]), index, name))
    ends.sort()
    step = 1.35 * _LABEL_SIZE * _DOTS_PER_INCH / 72 / height
    for place, (_, index, name) in zip(_apart([end[0] for end in ends], step), ends, strict=True):
        axes.annotate(
            name if len(name) <= _MOST_LABEL_LETTERS else f"{name[: _MOST_LABEL_LETTERS - 1]}…",
            (1.0, place),
            xycoords="axes fraction",
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=_line_color(index),
            size=_LABEL_SIZE,
            weight="bold",
            parse_math=False,
        )


def _share_of_height(axes: Axes, y: float) -> float:
    low, high = axes.get_ylim()
    return (y - low) / (high - low)


def _apart(places: Sequence[float], step: float) -> list[float]:
    """Increasing places moved as little as needed to lie at least a step apart.

    Places that would come too close form a block around their middle.
    """
    blocks: list[list[float]] = []
    for place in places:
        blocks.append([place])
        while len(blocks) > 1 and _top(blocks[-2], step) > _bottom(blocks[-1], step):
            last = blocks.pop()
            blocks[-1] += last
    return [
        _middle(block) + (index - (len(block) - 1) / 2) * step
        for block in blocks
        for index in range(len(block))
    ]


def _middle(block: Sequence[float]) -> float:
    return sum(block) / len(block)


def _bottom(block: Sequence[float], step: float) -> float:
    return _middle(block) - len(block) * step / 2


def _top(block: Sequence[float], step: float) -> float:
    return _middle(block) + len(block) * step / 2


def _line_color(index: int) -> str:
    return to_hex(color_of(_LINE_IDS[index % len(_LINE_IDS)]))
