"""What stands side by side for one image of a comparison: image, truth, a picture for each row."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images import draw_overlay
from segmint.reports.class_picture import UNCOUNTED, Picture, Size, resized, viewable
from segmint.reports.comparison_examples import ComparisonExample, Labels
from segmint.reports.example_panels import ExamplePanel, example_panels
from segmint.reports.run_examples import Example

TRUTH = "truth"

_FILL = 0.45


def comparison_panels(example: ComparisonExample) -> list[ExamplePanel]:
    """Image, truth, and the prediction of each row under its title.

    Classes have the colors of their data set. Components have those of their numbers, which mean
    nothing across pictures, with outlines; a truth without classes is outlines alone.
    """
    if example.palette is None:
        return _component_panels(example)
    return _class_panels(example, example.palette)


def as_mask(labels: Labels) -> NDArray[np.uint8]:
    """Classes with 255 where there is none."""
    return np.where(labels < 0, UNCOUNTED, labels).astype(np.uint8)


def _class_panels(example: ComparisonExample, palette: NDArray[np.uint8]) -> list[ExamplePanel]:
    panels: list[ExamplePanel] = []
    for title, labels in example.predictions.items():
        *before, last = example_panels(_shown(example, labels), palette)
        panels += [] if panels else before
        panels.append(replace(last, title=title))
    return panels


def _shown(example: ComparisonExample, labels: Labels) -> Example:
    return Example(
        name=example.name,
        image=example.image,
        channel_names=example.channel_names,
        truth=None if example.truth is None else as_mask(example.truth),
        labels=as_mask(labels),
    )


def _component_panels(example: ComparisonExample) -> list[ExamplePanel]:
    panels = [ExamplePanel(title="image", draw=partial(_photo, example.image))]
    if example.truth is not None:
        draw = partial(_overlay, example.image, example.truth, 0.0)
        panels.append(ExamplePanel(title=TRUTH, draw=draw))
    for title, labels in example.predictions.items():
        draw = partial(_overlay, example.image, labels, _FILL)
        panels.append(ExamplePanel(title=title, draw=draw))
    return panels


def _photo(image: NDArray[Any], size: Size) -> Picture:
    return resized(viewable(image), size)


def _overlay(image: NDArray[Any], labels: Labels, fill: float, size: Size) -> Picture:
    from PIL import Image as Pillow

    nearest = Pillow.Resampling.NEAREST
    shown = Pillow.fromarray(labels.astype(np.int32)).resize(size[::-1], nearest)
    return draw_overlay(_photo(image, size), np.asarray(shown, np.int32), alpha=fill)
