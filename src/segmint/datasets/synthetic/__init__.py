"""Data made in code, whose truth is known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.datasets.synthetic.cells import Cells, draw_cells, write_cells
    from segmint.datasets.synthetic.heart import Heart, draw_heart, write_hearts
    from segmint.datasets.synthetic.membranes import Membranes, draw_membranes, write_membranes
    from segmint.datasets.synthetic.shapes import draw_shapes

__all__ = [
    "Cells",
    "Heart",
    "Membranes",
    "draw_cells",
    "draw_heart",
    "draw_membranes",
    "draw_shapes",
    "write_cells",
    "write_hearts",
    "write_membranes",
]

_PLACES = {
    "Cells": "segmint.datasets.synthetic.cells",
    "Heart": "segmint.datasets.synthetic.heart",
    "Membranes": "segmint.datasets.synthetic.membranes",
    "draw_cells": "segmint.datasets.synthetic.cells",
    "draw_heart": "segmint.datasets.synthetic.heart",
    "draw_membranes": "segmint.datasets.synthetic.membranes",
    "draw_shapes": "segmint.datasets.synthetic.shapes",
    "write_cells": "segmint.datasets.synthetic.cells",
    "write_hearts": "segmint.datasets.synthetic.heart",
    "write_membranes": "segmint.datasets.synthetic.membranes",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
