"""How far a network looks, so that a tile with a halo gives what the whole image would."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What decides the tiles of a network.

    An output pixel of the cell ``[i * step, (i + 1) * step)`` depends on inputs of
    ``[i * step - halo, (i + 1) * step + halo)`` alone, along both axes.
    """

    step: int
    """Height and width of what the network sees are multiples of it, corners of tiles too."""
    least: int
    """Height and width of what the network sees are at least this."""
    halo: int | None
    """Pixels around a tile, a multiple of ``step``; None where every output looks at everything."""
