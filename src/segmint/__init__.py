"""Segment images with labels, with a few, or with none, and prove how well.

Example:
    >>> import numpy as np
    >>> import segmint
    >>> image = np.zeros((32, 32), dtype=np.uint8)
    >>> image[:, 16:] = 200
    >>> segmint.segment(image, components=2).components
    2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.comparisons.comparing import compare
    from segmint.errors import InputError, OutputError, SegmintError, UsageError
    from segmint.images.image import Image
    from segmint.images.labels import read_labels
    from segmint.images.reading import read_image
    from segmint.methods.segment import segment
    from segmint.methods.segmentation import Segmentation
    from segmint.metrics.evaluation import evaluate
    from segmint.recipes.run import Run
    from segmint.recipes.training import resume, train

__version__ = "0.1.0"

__all__ = [
    "Image",
    "InputError",
    "OutputError",
    "Run",
    "Segmentation",
    "SegmintError",
    "UsageError",
    "__version__",
    "compare",
    "evaluate",
    "read_image",
    "read_labels",
    "resume",
    "segment",
    "train",
]

_PLACES = {
    "Image": "segmint.images.image",
    "InputError": "segmint.errors",
    "OutputError": "segmint.errors",
    "Run": "segmint.recipes.run",
    "Segmentation": "segmint.methods.segmentation",
    "SegmintError": "segmint.errors",
    "UsageError": "segmint.errors",
    "compare": "segmint.comparisons.comparing",
    "evaluate": "segmint.metrics.evaluation",
    "read_image": "segmint.images.reading",
    "read_labels": "segmint.images.labels",
    "segment": "segmint.methods.segment",
    "resume": "segmint.recipes.training",
    "train": "segmint.recipes.training",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)


def __dir__() -> list[str]:
    return __all__
