"""Text in a figure that never overlaps: lines that fit a width, and the legend of components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.images import color_of, to_hex

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NAMES = 16
"""Components that a legend names; of more, those of the lowest ids."""

ROW = 0.26
"""Inches from one row of text to the next."""

TEXT_SIZE = 11.0
TEXT_COLOR = "#222222"

_SWATCH = 0.15
_BEFORE_TEXT = 1.5 * _SWATCH


@dataclass(frozen=True, kw_only=True)
class TextLine:
    """One line of text; places in inches from the left and from the top of the figure."""

    text: str
    left: float
    """Where the text begins, or its middle when it is centered."""
    middle: float
    size: float = TEXT_SIZE
    """In points."""
    color: str = TEXT_COLOR
    centered: bool = False
    swatch: str | None = None
    """Color of a square before the text."""

    def draw(self, figure: Figure) -> None:
        """Draw it; nothing in the text is taken for a formula."""
        from matplotlib.patches import Rectangle

        across, down = figure.get_size_inches()
        figure.text(
            self.left / across,
            1 - self.middle / down,
            self.text,
            size=self.size,
            color=self.color,
            ha="center" if self.centered else "left",
            va="center_baseline",
            parse_math=False,
        )
        if self.swatch:
            corner = (self.left - _BEFORE_TEXT, down - self.middle - _SWATCH / 2)
            square = Rectangle(corner, _SWATCH, _SWATCH, transform=figure.dpi_scale_trans)
            square.set(facecolor=self.swatch, edgecolor="none")
            figure.add_artist(square)


def flow_legend(
    ids: Sequence[int], names: Mapping[int, str], *, left: float, right: float, top: float
) -> list[TextLine]:
    """A colored square and a name for each component, in rows.

    Args:
        ids: increasing, 0 or more.
        names: what ids are called; the others are called by their number.
        left: where rows begin, in inches from the left.
        right: where they end at the latest.
        top: where the first row begins, in inches from the top; the others follow by ``ROW``.
    """
    lines: list[TextLine] = []
    place, row = left, 0
    for text, swatch in _entries(ids, names):
        before = _BEFORE_TEXT if swatch else 0.0
        text = fitted(text, TEXT_SIZE, right - left - before)
        width = before + text_width(text, TEXT_SIZE)
        if place > left and place + width > right:
            place, row = left, row + 1
        middle = top + (row + 0.5) * ROW
        lines.append(TextLine(text=text, left=place + before, middle=middle, swatch=swatch))
        place += width + _BEFORE_TEXT
    return lines


def fitted(text: str, size: float, width: float) -> str:
    """One line of text; where it is wider than that, without its middle.

    Args:
        text: white space of any kind becomes a single space.
        size: in points.
        width: in inches.
    """
    text = " ".join(text.split())
    kept, shown = len(text), text
    while kept > 2 and text_width(shown, size) > width:
        kept -= 1
        shown = f"{text[: (kept + 1) // 2]}…{text[-(kept // 2) :]}"
    return shown


def text_width(text: str, size: float) -> float:
    """Inches; a little more than the letters take, which are drawn on whole pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    points, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(size=size), ismath=False
    )
    return 1.03 * float(points) / 72


def _entries(ids: Sequence[int], names: Mapping[int, str]) -> Iterator[tuple[str, str | None]]:
    for label in ids[:MOST_NAMES]:
        yield names.get(label) or str(label), to_hex(color_of(label))
    if len(ids) > MOST_NAMES:
        yield f"and {len(ids) - MOST_NAMES} more", None
