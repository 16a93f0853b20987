"""The further file of a result that has several channels: what a mixture saw, said, and missed."""

from __future__ import annotations

from segmint.images import Image
from segmint.methods.segmentation import Segmentation


def panel_files(image: Image, segmentation: Segmentation) -> dict[str, bytes]:
    """The channels, the prediction and the truth side by side, where a mixture has several."""
    if segmentation.mixture is None or (image.mask is None and image.channels < 2):
        return {}
    from segmint.reports.panels import panels_png
    from segmint.reports.truth import truth_by_id

    truth = truth_by_id(image, segmentation)
    picture = panels_png(image, segmentation.labels, truth, names=segmentation.names)
    return {"panels.png": picture}
