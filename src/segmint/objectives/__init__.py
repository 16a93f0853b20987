"""Objectives: terms from information theory and their weighted sums.

Every term is called as ``term(logits, batch) -> scalar``. A new term is one file here and one
registration below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names
from segmint.registry import Registry

if TYPE_CHECKING:
    from segmint.objectives.area import max_area_loss, min_area_loss, soft_areas
    from segmint.objectives.batch import Batch
    from segmint.objectives.continuity import continuity_loss
    from segmint.objectives.objective import Objective
    from segmint.objectives.scribble import scribble_loss
    from segmint.objectives.similarity import similarity_loss

__all__ = [
    "Batch",
    "Objective",
    "continuity_loss",
    "max_area_loss",
    "min_area_loss",
    "scribble_loss",
    "similarity_loss",
    "soft_areas",
    "terms",
]

terms = Registry("term")
terms.register(
    "similarity",
    "segmint.objectives.similarity:Similarity",
    "cross-entropy of the response against its own argmax",
)
terms.register(
    "continuity",
    "segmint.objectives.continuity:Continuity",
    "absolute difference between neighboring responses (x, y, edge_sharpness)",
)
terms.register(
    "scribble",
    "segmint.objectives.scribble:Scribble",
    "cross-entropy on scribbled pixels",
)
terms.register(
    "max_area",
    "segmint.objectives.area:MaxArea",
    "soft area of the largest component",
)
terms.register(
    "min_area",
    "segmint.objectives.area:MinArea",
    "one minus the soft area of the smallest component, in even shares",
)

_PLACES = {
    "Batch": "segmint.objectives.batch",
    "Objective": "segmint.objectives.objective",
    "continuity_loss": "segmint.objectives.continuity",
    "max_area_loss": "segmint.objectives.area",
    "min_area_loss": "segmint.objectives.area",
    "scribble_loss": "segmint.objectives.scribble",
    "similarity_loss": "segmint.objectives.similarity",
    "soft_areas": "segmint.objectives.area",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
