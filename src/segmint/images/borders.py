"""Where a segment ends and another begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def segment_borders(segments: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.bool_]:
    """Pixels beside another segment, above, below, left or right: lines two pixels wide.

    Args:
        segments: (H, W) number of each.

    Returns:
        (H, W).

    Example:
        >>> segment_borders(np.array([[1, 1, 1, 2, 2, 2]])).astype(int).tolist()
        [[0, 0, 1, 1, 0, 0]]
    """
    borders = np.zeros(segments.shape, np.bool_)
    across, down = segments[:, 1:] != segments[:, :-1], segments[1:] != segments[:-1]
    borders[:, 1:] |= across
    borders[:, :-1] |= across
    borders[1:] |= down
    borders[:-1] |= down
    return borders
