"""How large the windows are that scenes are answered in."""

from __future__ import annotations

import math

TILE = 512
"""Sides are multiples of it."""
_MOST_PROBABILITIES = 1 << 26
"""Of a window; 256 MiB of float32."""


def answer_block(classes: int, longest: int = 4 * TILE) -> tuple[int, int]:
    """Height and width of windows whose probabilities fit into the memory.

    Args:
        classes: K.
        longest: they are at most this, where that is not below the least.

    Example:
        >>> answer_block(4), answer_block(100), answer_block(4, longest=1300)
        ((2048, 2048), (512, 512), (1024, 1024))
    """
    fitting = math.isqrt(_MOST_PROBABILITIES // classes)
    side = max(min(fitting, longest) // TILE, 1) * TILE
    return side, side
