"""The errand ``scribbles``: read a file of scribbles that a visitor loads, to paint on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from segmint.app.errand import Telling
from segmint.app.views.strokes import MOST_IDS, NOTHING, save_scribbles
from segmint.errors import InputError
from segmint.images.masks import read_masks
from segmint.methods.segment import check_scribble_shape


def read_scribbles(
    telling: Telling, *, path: str, width: int, height: int, out: str
) -> dict[str, Any]:
    """Read scribbles as ``--scribbles`` does, and keep them as the page writes them.

    Args:
        telling: of how it goes; this takes one step.
        path: the file that the visitor sent: ids, 255 where there is none.
        width: of the image in pixels.
        height: of the image in pixels.
        out: 8-bit palette PNG of the same ids.

    Returns:
        ``ids``, those in it.

    Raises:
        InputError: for what is no file of ids, of another size than the image, or with ids that
            the page has no color for.
    """
    marks = read_masks(Path(path), ignore_index=None, colors=False)[0]
    check_scribble_shape(marks.shape, (height, width))
    known = marks[marks != NOTHING]
    for outside in known[(known < 0) | (known >= MOST_IDS)][:1]:
        raise InputError(
            f"scribbles hold the id {outside}, accepted here are 0 to {MOST_IDS - 1} and "
            f"{NOTHING} where there is none: renumber them"
        )
    return {"ids": save_scribbles(marks.astype(np.uint8), Path(out))}
