"""The probabilities of one pixel, read where they lie, without the rest of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PROBABILITIES = "probabilities.npy"
"""float16 (slices, h, w, K) at the size of the view, so that those of one pixel lie together;
NaN outside the region."""


def pixel_probabilities(views: Path, x: int, y: int, index: int) -> list[float] | None:
    """How likely each class is at a pixel of the view.

    Args:
        views: folder of the views of one answer.
        x: column in the view.
        y: row in the view.
        index: slice of a stack; 0 of one image.

    Returns:
        K numbers from 0 to 1 by id; None outside the view and the region, and where an answer has
        no probabilities.
    """
    stored = _stored(views / PROBABILITIES)
    if stored is None or stored.ndim != 4:
        return None
    place = (index, y, x)
    if not all(0 <= at < side for at, side in zip(place, stored.shape[:3], strict=True)):
        return None
    found = np.array(stored[place], np.float32)
    return [round(float(each), 4) for each in found] if np.isfinite(found).all() else None


def _stored(path: Path) -> NDArray[Any] | None:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
    except (OSError, ValueError, EOFError):
        return None
