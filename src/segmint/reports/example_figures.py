"""Examples as figures of a page: a row of pictures for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segmint.reports.class_picture import UNCOUNTED, Size, is_dim
from segmint.reports.example_panels import ExamplePanel, example_panels
from segmint.reports.page import Figure, Panel
from segmint.reports.pictures import Embedded, embed
from segmint.reports.run_examples import Example

LONGEST_SIDE = 480
"""Pixels of a picture of the page."""


def example_figures(
    examples: Sequence[Example], palette: npt.NDArray[np.uint8]
) -> tuple[Figure, ...]:
    """Image, truth, prediction and mistakes of each example in a row.

    Args:
        examples: in the order in which they are shown.
        palette: uint8 (K, 3), the colors of the classes.
    """
    return tuple(_figure(example, palette) for example in examples)


def _figure(example: Example, palette: npt.NDArray[np.uint8]) -> Figure:
    size = _size(example.labels.shape)
    panels = [
        Panel(
            picture=_embedded(panel, size),
            alt=f"{panel.title.capitalize()} of {example.name}.",
            label=_label(panel, example),
        )
        for panel in example_panels(example, palette, mistakes=True)
    ]
    score = "" if example.mean_iou is None else f", mean IoU {example.mean_iou:.3f}"
    dim = "; the image is shown brighter than it is" if is_dim(example.image) else ""
    return Figure(panels=tuple(panels), caption=f"{example.name}{score}{dim}")


def _size(shape: tuple[int, ...]) -> Size:
    """Of the pictures: smaller images are enlarged by whole factors, so that edges stay sharp."""
    scale = LONGEST_SIDE / max(shape)
    factor = scale if scale < 1 else int(scale)
    return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


def _embedded(panel: ExamplePanel, size: Size) -> Embedded:
    """The picture in the format that makes it smaller: areas of a color, or a photo."""
    picture = panel.draw(size)
    return min((embed(picture, exact=exact) for exact in (True, False)), key=_length)


def _length(picture: Embedded) -> int:
    return len(picture.uri)


def _label(panel: ExamplePanel, example: Example) -> str:
    if panel.title != "mistakes" or example.truth is None:
        return panel.title
    known = example.truth != UNCOUNTED
    share = (example.labels != example.truth)[known].mean()
    return f"mistakes: {100 * share:.1f} % of the pixels"
