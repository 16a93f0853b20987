"""The names of classes beside their colors, in columns below a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from segmint.images import to_hex
from segmint.reports.class_picture import UNCOUNTED, uncolored
from segmint.reports.legend import ROW, TextLine, fitted, text_width

Entry = tuple[str, str | None]
"""A name, and the color of the square before it."""

NAME_SIZE = 11.0
"""Points."""

_STRIPED = "#d9d9d9"

# Inches.
_SWATCH = 0.24
_BETWEEN = 0.3


def class_entries(
    masks: Iterable[npt.NDArray[np.uint8]],
    classes: Sequence[str],
    palette: npt.NDArray[np.uint8],
) -> list[Entry]:
    """The classes that some mask shows, those without a color of their own last.

    Args:
        masks: classes of pixels, ``UNCOUNTED`` where there is none.
        classes: the name of each number.
        palette: uint8 (K, 3), their colors.

    Example:
        >>> class_entries([np.array([[1, 255]], np.uint8)], ["road", "sky"], np.eye(3)[:2] * 255)
        [('sky', '#00ff00'), ('not counted (striped)', '#d9d9d9')]
    """
    present = np.zeros(UNCOUNTED + 1, np.bool_)
    for mask in masks:
        present |= np.bincount(mask.ravel(), minlength=UNCOUNTED + 1) > 0
    bare = uncolored(palette)
    entries: list[Entry] = []
    for number, name in enumerate(classes):
        if present[number] and number not in bare:
            red, green, blue = map(int, palette[number])
            entries.append((name, to_hex((red, green, blue))))
    if present[UNCOUNTED]:
        entries.append(("not counted (striped)", _STRIPED))
    entries += [(f"{classes[number]} (not colored)", None) for number in bare if present[number]]
    return entries


def column_legend(
    entries: Sequence[Entry], *, left: float, width: float, top: float
) -> list[TextLine]:
    """Squares and names in columns of one width, row by row.

    Args:
        entries: what :func:`class_entries` gives.
        left: where rows begin, in inches from the left.
        width: of all columns together.
        top: where the first row begins, in inches from the top; the others follow by ``ROW``.
    """
    if not entries:
        return []
    widest = max(text_width(name, NAME_SIZE) for name, _ in entries)
    step = min(_SWATCH + widest + _BETWEEN, width)
    columns = max(int(width / step), 1)
    return [
        TextLine(
            text=fitted(name, NAME_SIZE, step - _SWATCH),
            left=left + index % columns * step + (_SWATCH if color else 0),
            middle=top + (index // columns + 0.5) * ROW,
            size=NAME_SIZE,
            swatch=color,
        )
        for index, (name, color) in enumerate(entries)
    ]
