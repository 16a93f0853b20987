"""Pictures of a heart for a page: its sequences, classes, entropy, and the key to their colors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images import Image, color_of, colors_of, display_rgb, to_hex
from segmint.reports.legend import TextLine
from segmint.reports.panels import CARDIAC_SEQUENCES, DIMMED
from segmint.reports.tour.setting import Picture

COLOR_MAP = "cividis"
"""Even steps look even, with color blindness, too (Nunez, Anderton and Renslow, 2018)."""

MARGIN = 8
"""Pixels around the region that are shown."""

ENLARGED = 4
"""Pixels of a picture along each side of one of the image, so that classes keep sharp edges."""

# Inches, dots and points of the key, which is dark like the pictures beside it.
_SIDE, _DOTS_PER_INCH, _TEXT_SIZE = 2.2, 200, 12.5
_EDGE, _ROW = 0.18, 0.31
_GROUND, _INK = "#20262c", "#f2f4f6"

Labels = npt.NDArray[np.integer[Any]]


class HeartPictures:
    """Pictures of one slice, all of the same square around its region.

    Args:
        image: prepared, (H, W, C) with a region and the channels C0, T2 and LGE.
    """

    def __init__(self, image: Image) -> None:
        assert image.region is not None
        self._image = image
        self._region = image.region
        self._window = square_around(image.region)

    def sequences(self) -> Iterator[tuple[str, Picture]]:
        """What each sequence is called, and the slice in it."""
        for channel, title in CARDIAC_SEQUENCES.items():
            if channel in self._image.channel_names:
                yield title, self._enlarged(self._grey(channel))

    def classes(self, labels: Labels) -> Picture:
        """Labels (H, W) in the colors of their ids; the slice, dimmed, around the region."""
        return self._on_the_slice(colors_of(labels))

    def entropy(self, entropy: npt.NDArray[np.float32], most: float) -> Picture:
        """Entropy (H, W), 0 to ``most``, in the colors of ``COLOR_MAP``."""
        return self._on_the_slice(_map_colors(entropy / most))

    def _on_the_slice(self, colors: Picture) -> Picture:
        ground = (self._grey(self._image.channel_names[-1]) * DIMMED).astype(np.uint8)
        return self._enlarged(np.where(self._region[..., np.newaxis], colors, ground))

    def _grey(self, channel: str) -> Picture:
        index = self._image.channel_names.index(channel)
        return display_rgb(self._image.pixels[..., [index]])

    def _enlarged(self, picture: Picture) -> Picture:
        part = picture[self._window]
        return np.asarray(part.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1))


def square_around(region: npt.NDArray[np.bool_], margin: int = MARGIN) -> tuple[slice, slice]:
    """Rows and columns of a square with the region and a margin, as far as the image reaches.

    Example:
        >>> region = np.zeros((40, 50), bool)
        >>> region[10:20, 4:30] = True
        >>> square_around(region, margin=3)
        (slice(0, 32, None), slice(1, 33, None))
    """
    spans = [np.flatnonzero(region.any(axis=axis))[[0, -1]].tolist() for axis in (1, 0)]
    side = max(last + 1 - first for first, last in spans) + 2 * margin
    rows, columns = (
        _span((first + last + 1) // 2 - side // 2, side, length)
        for (first, last), length in zip(spans, region.shape, strict=True)
    )
    return rows, columns


def draw_key(names: Sequence[str], most: float) -> Picture:
    """The names of classes beside their colors, and the scale of the entropy.

    Args:
        names: of the ids 0, 1, ...
        most: entropy in bits at the end of the scale.

    Returns:
        uint8 RGB, square.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context("default"):
        figure = Figure((_SIDE, _SIDE), dpi=_DOTS_PER_INCH, facecolor=_GROUND)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((_EDGE / _SIDE, 0.46 / _SIDE, 1 - 2 * _EDGE / _SIDE, 0.17 / _SIDE))
        axes.set_axis_off()
        axes.imshow(_map_colors(np.linspace(0, 1, 256)[np.newaxis]), aspect="auto")
        for line in _key_lines(names, most):
            line.draw(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(drawn[..., :3])


def _key_lines(names: Sequence[str], most: float) -> Iterator[TextLine]:
    def line(text: str, left: float, middle: float, swatch: str | None = None) -> TextLine:
        return TextLine(
            text=text, left=left, middle=middle, size=_TEXT_SIZE, color=_INK, swatch=swatch
        )

    for index, name in enumerate(names):
        yield line(name, 2.4 * _EDGE, _EDGE + (index + 0.3) * _ROW, to_hex(color_of(index)))
    yield line("0", _EDGE, _SIDE - 0.27)
    yield line("entropy", _SIDE / 2 - 0.5, _SIDE - 0.27)
    yield line(f"{most:g} bits", _SIDE - _EDGE - 0.52, _SIDE - 0.27)


def _map_colors(shares: npt.NDArray[Any]) -> Picture:
    """Colors (..., 3) of numbers from 0 to 1."""
    from matplotlib import colormaps

    return np.asarray(colormaps[COLOR_MAP](shares, bytes=True)[..., :3])


def _span(first: int, side: int, length: int) -> slice:
    first = max(0, min(first, length - side))
    return slice(first, min(first + side, length))
