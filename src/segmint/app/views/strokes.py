"""Strokes of the mouse, drawn into the file of scribbles that the command line takes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.palettes import palette
from segmint.runs import atomic_path

NOTHING = 255
"""Id of pixels without a scribble; a stroke of it erases."""

MOST_IDS = 20
"""So many colors can be told apart."""

MOST_STROKES, MOST_POINTS = 2_000, 200_000

_MOST_PAINT = 1_000_000_000
"""Pixels that all strokes may paint together, those painted twice counted twice."""

_THIN = 2.0
"""Strokes below this width are lines of single pixels."""

Ids = npt.NDArray[np.uint8]
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """One line of the mouse."""

    id: int
    width: float
    """In pixels of the image."""
    points: tuple[Point, ...]
    """x and y in pixels of the image, whose first pixel covers 0 to 1."""

    @classmethod
    def of(cls, told: Any, size: tuple[int, int]) -> Self:
        """A stroke as a page tells it: ``{"id": 0, "width": 12.0, "points": [[x, y], ...]}``.

        Args:
            told: plain data, whatever it may be.
            size: height and width of the image.

        Raises:
            InputError: for what is no stroke.
        """
        if not isinstance(told, Mapping):
            raise _no_stroke(f"a stroke is {type(told).__name__}")
        index: Any = told.get("id")
        width: Any = told.get("width")
        points: Any = told.get("points")
        if type(index) is not int or not (0 <= index < MOST_IDS or index == NOTHING):
            raise _no_stroke(f"the id of a stroke is {str(index)[:20]}")
        if not _is_number(width) or not 0 < width <= max(size):
            raise _no_stroke(f"the width of a stroke is {str(width)[:20]}")
        if not isinstance(points, Sequence) or isinstance(points, str) or not points:
            raise _no_stroke("a stroke has no points")
        placed = tuple(_point(point, size) for point in points)
        return cls(id=index, width=float(width), points=placed)

    @property
    def paint(self) -> float:
        """About how many pixels it takes to draw it."""
        length = sum(itertools.starmap(math.dist, itertools.pairwise(self.points)))
        return self.width * (length + self.width * len(self.points))


def write_scribbles(
    strokes: Any, base: Path | None, width: int, height: int, out: Path
) -> list[int]:
    """Draw strokes, later ones over earlier ones, into a PNG of ids.

    Args:
        strokes: as a page tells them, whatever they may be; see :meth:`Stroke.of`.
        base: PNG of ids that they are drawn over.
        width: of the image in pixels.
        height: of the image in pixels.
        out: 8-bit palette PNG of ids, 255 where there is none, as ``--scribbles`` takes it.

    Returns:
        The ids in it, in order.

    Raises:
        InputError: for what are no strokes, too many of them, or a base of another size.
        OutputError: when the file cannot be written.
    """
    checked = checked_strokes(strokes, width, height)
    ids = _blank(width, height) if base is None else _read(base, width, height)
    return save_scribbles(draw_strokes(checked, ids), out)


def checked_strokes(strokes: Any, width: int, height: int) -> list[Stroke]:
    """Strokes as a page tells them, once they are known to be that, and not too many.

    Raises:
        InputError: says what is wrong with them.
    """
    if not isinstance(strokes, Sequence) or isinstance(strokes, str | bytes):
        raise _no_stroke(f"strokes are {type(strokes).__name__}")
    if len(strokes) > MOST_STROKES:
        raise InputError(
            f"there are {len(strokes)} strokes, accepted are {MOST_STROKES}: clear some of them"
        )
    count = sum(len(each.get("points", ())) for each in strokes if _has_points(each))
    if count > MOST_POINTS:
        raise InputError(
            f"the strokes have {count} points, accepted are {MOST_POINTS}: clear some of them"
        )
    checked = [Stroke.of(each, (height, width)) for each in strokes]
    if sum(stroke.paint for stroke in checked) > _MOST_PAINT:
        raise InputError("the strokes are too wide and too many to draw: clear some of them")
    return checked


def draw_strokes(strokes: Sequence[Stroke], ids: Ids) -> Ids:
    """Ids (H, W) with strokes drawn over them: thick lines with round ends, without soft edges."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(ids)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        # Pillow counts from the middle of the first pixel.
        points = [(x - 0.5, y - 0.5) for x, y in stroke.points]
        if stroke.width < _THIN:
            pen.line(_rounded(points), fill=stroke.id)
            pen.point(_rounded(points), fill=stroke.id)
            continue
        radius = stroke.width / 2
        for start, end in itertools.pairwise(points):
            pen.polygon(_rounded(_bar(start, end, radius)), fill=stroke.id)
        for x, y in points:
            box = [(x - radius, y - radius), (x + radius, y + radius)]
            pen.ellipse(_rounded(box), fill=stroke.id)
    return np.asarray(picture)


def save_scribbles(ids: Ids, out: Path) -> list[int]:
    """Write ids (H, W) as a palette PNG; the ids in it, in order.

    Raises:
        OutputError: when the file cannot be written.
    """
    from PIL import Image

    picture = Image.fromarray(ids)
    picture.putpalette(palette().tobytes())
    with atomic_path(out) as temporary:
        picture.save(temporary, format="PNG", compress_level=1)
    return [int(each) for each in np.flatnonzero(np.bincount(ids.ravel(), minlength=256)[:NOTHING])]


def _bar(start: Point, end: Point, radius: float) -> list[Point]:
    """The corners of a straight piece of a stroke."""
    across, down = end[0] - start[0], end[1] - start[1]
    share = radius / (math.hypot(across, down) or 1.0)
    side, rise = -down * share, across * share
    return [
        (start[0] + side, start[1] + rise),
        (end[0] + side, end[1] + rise),
        (end[0] - side, end[1] - rise),
        (start[0] - side, start[1] - rise),
    ]


def _rounded(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Whole pixels; Pillow would cut fractions off."""
    return [(round(x), round(y)) for x, y in points]


def _blank(width: int, height: int) -> Ids:
    return np.full((height, width), NOTHING, np.uint8)


def _read(base: Path, width: int, height: int) -> Ids:
    from PIL.PngImagePlugin import PngImageFile

    try:
        with PngImageFile(base) as picture:
            if picture.size != (width, height) or picture.mode not in ("P", "L"):
                raise InputError(
                    f"scribbles have shape {picture.size[::-1]} and the image {(height, width)}: "
                    "draw them on an image of the same size"
                )
            return np.asarray(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{base} is damaged: load the scribbles again") from error


def _point(told: Any, size: tuple[int, int]) -> Point:
    if not isinstance(told, Sequence) or len(told) != 2 or not all(map(_is_number, told)):
        raise _no_stroke("a point of a stroke is no pair of numbers")
    height, width = size
    return _near(told[0], width), _near(told[1], height)


def _near(at: float, side: int) -> float:
    """A place of the mouse, which may leave the image; much farther out nothing is seen."""
    return min(max(float(at), -1.0 * side), 2.0 * side)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _has_points(told: Any) -> bool:
    return isinstance(told, Mapping) and isinstance(told.get("points"), list | tuple)


def _no_stroke(what: str) -> InputError:
    return InputError(
        f"{what}, accepted are an id of 0 to {MOST_IDS - 1} or {NOTHING}, a width in pixels and "
        "points x, y: paint again"
    )
