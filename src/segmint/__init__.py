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
    from segmint.engines.manifest_lines import read_manifest
    from segmint.errors import InputError, OutputError, SegmintError, UsageError
    from segmint.images.image import Image
    from segmint.images.labels import read_labels
    from segmint.images.opening_scenes import open_scene
    from segmint.images.reading import read_image
    from segmint.images.scene import Scene
    from segmint.inference.tiling import Tiling
    from segmint.methods.segment import segment
    from segmint.methods.segment_file import segment_file
    from segmint.methods.segmentation import Segmentation
    from segmint.metrics.evaluation import evaluate
    from segmint.recipes.ensemble import Ensemble
    from segmint.recipes.export import export
    from segmint.recipes.exported_model import ExportedModel
    from segmint.recipes.run import Run
    from segmint.recipes.training import resume, train

__version__ = "0.1.0"

__all__ = [
    "Ensemble",
    "ExportedModel",
    "Image",
    "InputError",
    "OutputError",
    "Run",
    "Scene",
    "Segmentation",
    "SegmintError",
    "Tiling",
    "UsageError",
    "__version__",
    "compare",
    "evaluate",
    "export",
    "open_scene",
    "read_image",
    "read_labels",
    "read_manifest",
    "resume",
    "segment",
    "segment_file",
    "train",
]

_PLACES = {
    "Ensemble": "segmint.recipes.ensemble",
    "ExportedModel": "segmint.recipes.exported_model",
    "Image": "segmint.images.image",
    "InputError": "segmint.errors",
    "OutputError": "segmint.errors",
    "Run": "segmint.recipes.run",
    "Scene": "segmint.images.scene",
    "Segmentation": "segmint.methods.segmentation",
    "SegmintError": "segmint.errors",
    "UsageError": "segmint.errors",
    "Tiling": "segmint.inference.tiling",
    "compare": "segmint.comparisons.comparing",
    "evaluate": "segmint.metrics.evaluation",
    "export": "segmint.recipes.export",
    "open_scene": "segmint.images.opening_scenes",
    "read_image": "segmint.images.reading",
    "read_labels": "segmint.images.labels",
    "read_manifest": "segmint.engines.manifest_lines",
    "segment": "segmint.methods.segment",
    "segment_file": "segmint.methods.segment_file",
    "resume": "segmint.recipes.training",
    "train": "segmint.recipes.training",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)


def __dir__() -> list[str]:
    return __all__
