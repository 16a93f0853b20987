"""Gaussian mixtures of pixel values by expectation maximization, and counts of distinct pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.mixtures.distinct import distinct_samples
    from segmint.mixtures.gaussian_mixture import GaussianMixture
    from segmint.mixtures.selection import select_components
    from segmint.mixtures.spatially_varying import SpatiallyVaryingMixture

__all__ = [
    "GaussianMixture",
    "SpatiallyVaryingMixture",
    "distinct_samples",
    "select_components",
]

_PLACES = {
    "GaussianMixture": "segmint.mixtures.gaussian_mixture",
    "SpatiallyVaryingMixture": "segmint.mixtures.spatially_varying",
    "distinct_samples": "segmint.mixtures.distinct",
    "select_components": "segmint.mixtures.selection",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
