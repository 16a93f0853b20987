"""Where images and masks come from: one file a layout, and data made in code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.datasets.myops import prepare_myops
    from segmint.datasets.prepared_folder import prepared_images

__all__ = ["prepare_myops", "prepared_images"]

_PLACES = {
    "prepare_myops": "segmint.datasets.myops",
    "prepared_images": "segmint.datasets.prepared_folder",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
