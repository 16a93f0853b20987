"""What the processes of the page begin with."""

from __future__ import annotations

from collections.abc import Sequence

from segmint.app.errand import errands

PRELOADED: Sequence[str] = (
    "segmint.app.crew.process",
    *dict.fromkeys(entry.target.partition(":")[0] for entry in errands.entries()),
    *("segmint.images.reading", "segmint.images.overlays", "segmint.images.viewing"),
    *("segmint.methods.segment", "segmint.methods.segment_file", "segmint.methods.storage"),
    *("segmint.methods.hybrid", "segmint.regions.hybrid", "segmint.solvers.clustering"),
    *("segmint.recipes.opening", "segmint.recipes.class_prediction"),
    *("PIL.JpegImagePlugin", "PIL.PngImagePlugin", "tifffile"),
    *("skimage.color.colorconv", "skimage.measure._label"),
    *("skimage.segmentation._watershed", "skimage.segmentation.slic_superpixels"),
    *("scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial"),
    *("torch", "torch._dynamo"),  # the latter is imported by the first step of any optimizer
)
"""What the usual errands import; importing it starts no thread of torch, for such do not survive
in processes that are forked afterwards."""
