"""One row of panels for a talk: the channels of an image, its prediction and its truth."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images import Image, colors_of, display_rgb
from segmint.images.viewing import fullest_slice, upright
from segmint.reports.legend import ROW, TEXT_COLOR, TextLine, fitted, flow_legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]

DOTS_PER_INCH = 200

MOST_CHANNELS = 6
"""Channels that are shown; of more, the first."""

IGNORED = 255
"""The value of a truth where nothing counts."""

LARGEST_SIDE = 2000
"""Of a longer side every second, third, ... pixel is drawn; a panel shows fewer than these."""

MARGIN = 0.08
"""Share of the region's longer side that is shown around it."""

DIMMED = 0.45
"""Share of the image's light that is left outside the components."""

CARDIAC_SEQUENCES = {"C0": "bSSFP", "T2": "T2", "LGE": "LGE", "DE": "LGE"}
"""Titles of the channels of MyoPS 2020, in the order in which they are shown."""

# Inches.
_PANEL = 2.3
_NARROWEST = 1.2
_LOWEST = 0.3
_GAP = 0.1
_EDGE = 0.15
_TITLE = 0.34

# Points.
_TITLE_SIZE = 13
_NOTE_SIZE = 9

_NOTE_COLOR = "#666666"


def draw_panels(
    image: Image, labels: Labels, truth: Labels | None = None, *, names: Mapping[int, str]
) -> Picture:
    """Channels in grey, prediction and truth side by side, with a legend and a scale bar below.

    The region fills the panels; around the components the image is dimmed. The same id has the
    same color in prediction and truth, so bring the ids of an unsupervised result into the order
    of the truth before. Of a stack, the slice with the most components is drawn, the one nearest
    to the middle among equals.

    Args:
        image: with ``region`` or without, which is then where labels are; ``spacing`` gives the
            scale bar.
        labels: (H, W), or (D, H, W) for a stack; below 0 outside the region.
        truth: of the same shape; below 0 or 255 where nothing is known.
        names: what ids are called; the others are called by their number.

    Returns:
        uint8 RGB, about 480 pixels a panel.

    Raises:
        InputError: when labels or truth are not integers of the image's shape.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    _check(image, labels, "labels")
    if truth is not None:
        _check(image, truth, "truth")
    view = _view(image, labels, truth)
    with style.context("default"), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        canvas = FigureCanvasAgg(_figure(view, names))
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def panels_png(
    image: Image, labels: Labels, truth: Labels | None = None, *, names: Mapping[int, str]
) -> bytes:
    """What ``draw_panels`` draws, as the content of a PNG file."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    picture = Pillow.fromarray(draw_panels(image, labels, truth, names=names))
    picture.save(stream, format="PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return stream.getvalue()


@dataclass(frozen=True, kw_only=True)
class _View:
    """What is shown: one slice, cut to the region."""

    pixels: npt.NDArray[Any]
    labels: Labels
    truth: Labels | None
    titles: Sequence[str]
    channels: Sequence[int]
    spacing: tuple[float, float] | None
    note: str

    @property
    def panels(self) -> list[tuple[str, Picture]]:
        """Title and uint8 RGB picture of each panel."""
        greys = [display_rgb(self.pixels[..., [channel]]) for channel in self.channels]
        found = list(zip(self.titles, greys, strict=True))
        found.append(("prediction", _colored(greys[0], self.labels)))
        if self.truth is not None:
            found.append(("truth", _colored(greys[0], self.truth)))
        return found

    @property
    def ids(self) -> list[int]:
        """Ids that occur in prediction or truth."""
        shown = [self.labels] if self.truth is None else [self.labels, self.truth]
        return sorted({label for each in shown for label in np.unique(each).tolist() if label >= 0})

    @property
    def size(self) -> tuple[float, float]:
        """Height and width, in millimeters where they are known, else in pixels."""
        down, across = self.spacing or (1.0, 1.0)
        height, width = self.labels.shape
        return height * down, width * across


def _check(image: Image, labels: Labels, what: str) -> None:
    if labels.shape != image.pixels.shape[:-1] or labels.dtype.kind not in "ui":
        raise InputError(
            f"{what} is {labels.dtype} of shape {labels.shape}, accepted are integers of shape "
            f"{image.pixels.shape[:-1]}: pass what belongs to this image"
        )


def _view(image: Image, labels: Labels, truth: Labels | None) -> _View:
    image, turn = upright(image)
    labels, truth = turn(labels), None if truth is None else turn(truth)
    channels, titles = _channels(image)
    notes = []
    region = labels >= 0 if image.region is None else image.region
    known = None if truth is None else np.where(truth == IGNORED, -1, truth.astype(np.int64))
    pixels = image.pixels
    if image.is_stack:
        index = fullest_slice(labels)
        notes.append(f"slice {index + 1} of {len(labels)}")
        pixels, labels, region = pixels[index], labels[index], region[index]
        known = None if known is None else known[index]
    if image.channels > MOST_CHANNELS:
        notes.append(f"the first {MOST_CHANNELS} of {image.channels} channels")
    window = _window(region)
    return _View(
        pixels=pixels[window],
        labels=labels[window],
        truth=None if known is None else known[window],
        titles=titles,
        channels=channels,
        spacing=_known_spacing(image, window[0].step),
        note=", ".join(notes),
    )


def _channels(image: Image) -> tuple[list[int], list[str]]:
    """Which channels are shown, in this order, and how they are called."""
    names = list(image.channel_names)
    if names and set(names) <= CARDIAC_SEQUENCES.keys():
        order = list(CARDIAC_SEQUENCES)
        channels = sorted(range(len(names)), key=lambda channel: order.index(names[channel]))
        return channels, [CARDIAC_SEQUENCES[names[channel]] for channel in channels]
    if not names and image.channels == 3 and image.pixels.dtype == np.uint8:
        names = ["red", "green", "blue"]
    if not names:
        names = [f"channel {channel}" for channel in range(image.channels)]
        names = names if len(names) > 1 else ["image"]
    shown = min(image.channels, MOST_CHANNELS)
    return list(range(shown)), names[:shown]


def _window(region: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of the region with a margin; everything where it is empty."""
    shown = region if region.any() else np.ones_like(region)
    spans = [np.flatnonzero(shown.any(axis=axis))[[0, -1]].tolist() for axis in (1, 0)]
    longest = max(last - first for first, last in spans)
    margin, step = 2 + round(MARGIN * longest), 1 + longest // LARGEST_SIDE
    rows, columns = (
        slice(max(0, first - margin), last + margin + 1, step) for first, last in spans
    )
    return rows, columns


def _known_spacing(image: Image, step: int) -> tuple[float, float] | None:
    """Millimeters between the rows and columns that are shown."""
    if image.spacing is None or not all(0 < step < math.inf for step in image.spacing):
        return None
    down, across = image.spacing[-2:]
    return down * step, across * step


def _colored(ground: Picture, labels: Labels) -> Picture:
    """Components in the colors of their ids; the ground, dimmed, shows around them."""
    inside = (labels >= 0)[..., np.newaxis]
    return np.where(inside, colors_of(labels), (ground * DIMMED).astype(np.uint8))


def _figure(view: _View, names: Mapping[int, str]) -> Figure:
    from matplotlib.figure import Figure

    panels = view.panels
    height, width = _panel_size(view)
    lefts = [_EDGE + index * (width + _GAP) for index in range(len(panels))]
    right = lefts[-1] + width
    below = _EDGE + _TITLE + height + _GAP
    lines = _legend(view, names, lefts, right, below)
    bottom = max([below + (ROW if view.spacing else 0), *(line.middle + ROW / 2 for line in lines)])
    if view.note:
        lines.append(_note(view.note, bottom + ROW / 2))
        bottom += ROW
    lines += [_title(name, left, width) for left, (name, _) in zip(lefts, panels, strict=True)]
    figure = Figure((right + _EDGE, bottom + _EDGE / 2), dpi=DOTS_PER_INCH, facecolor="white")
    aspect = view.spacing[0] / view.spacing[1] if view.spacing else 1.0
    for left, (_, picture) in zip(lefts, panels, strict=True):
        _draw_picture(figure, picture, (left, _EDGE + _TITLE, width, height), aspect)
    if view.spacing:
        lines.append(_draw_scale_bar(figure, view.size, (height, width), below + ROW / 2))
    for line in lines:
        line.draw(figure)
    return figure


def _panel_size(view: _View) -> tuple[float, float]:
    """Inches; very long images leave some of their panel empty."""
    height, width = view.size
    scale = _PANEL / max(height, width)
    return max(height * scale, _LOWEST), max(width * scale, _NARROWEST)


def _title(title: str, left: float, width: float) -> TextLine:
    return TextLine(
        text=fitted(title, _TITLE_SIZE, width),
        left=left + width / 2,
        middle=_EDGE + _TITLE / 2 - 0.03,
        size=_TITLE_SIZE,
        centered=True,
    )


def _note(note: str, middle: float) -> TextLine:
    return TextLine(text=note, left=_EDGE, middle=middle, size=_NOTE_SIZE, color=_NOTE_COLOR)


def _legend(
    view: _View, names: Mapping[int, str], lefts: Sequence[float], right: float, top: float
) -> list[TextLine]:
    """The names of the components, below the panels that show them.

    The legend begins below the prediction, or further left where that would take more than two
    rows; below the first panel stands the scale bar.
    """
    prediction = lefts[len(view.channels)]
    for left in (prediction, lefts[1 if view.spacing else 0]):
        lines = flow_legend(view.ids, names, left=left, right=right, top=top)
        if lines and lines[-1].middle < top + 2 * ROW:
            break
    return lines


def _draw_picture(
    figure: Figure, picture: Picture, box: tuple[float, float, float, float], aspect: float
) -> None:
    """Draw a picture into left, top, width and height in inches."""
    left, top, width, height = box
    across, down = figure.get_size_inches()
    axes = figure.add_axes(
        (left / across, 1 - (top + height) / down, width / across, height / down)
    )
    axes.set_axis_off()
    enlarged = width * DOTS_PER_INCH >= picture.shape[1]
    axes.imshow(picture, aspect=aspect, interpolation="nearest" if enlarged else "antialiased")


def _draw_scale_bar(
    figure: Figure, size: tuple[float, float], panel: tuple[float, float], middle: float
) -> TextLine:
    """Draw a line of a round length below the first panel; what stands beside it comes back."""
    from matplotlib.patches import Rectangle

    scale = min(inches / length for inches, length in zip(panel, size, strict=True))
    length = _round_length(0.4 * panel[1] / scale)
    corner = (_EDGE, figure.get_size_inches()[1] - middle - 0.02)
    bar = Rectangle(corner, length * scale, 0.04, transform=figure.dpi_scale_trans)
    bar.set(facecolor=TEXT_COLOR, edgecolor="none")
    figure.add_artist(bar)
    said = f"{length:g} mm" if length >= 1 else f"{1000 * length:g} µm"
    return TextLine(text=said, left=_EDGE + length * scale + 0.08, middle=middle)


def _round_length(most: float) -> float:
    """The greatest of ..., 1, 2, 5, 10, 20, ... up to a length.

    Example:
        >>> _round_length(38.0)
        20.0
    """
    power = 10.0 ** math.floor(math.log10(most))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most * (1 + 1e-9))
