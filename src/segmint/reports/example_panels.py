"""What stands side by side for one example: the image, its truth, what was predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.reports.class_picture import (
    Picture,
    Size,
    class_picture,
    mistake_picture,
    resized,
    viewable,
)
from segmint.reports.panels import CARDIAC_SEQUENCES
from segmint.reports.run_examples import Example

MOST_SEPARATE = 4
"""Named channels, such as sequences, that are shown one by one; more are shown as one picture."""


@dataclass(frozen=True, kw_only=True)
class ExamplePanel:
    """One picture of an example."""

    title: str
    draw: Callable[[Size], Picture]
    """The picture at a height and width."""


def example_panels(
    example: Example, palette: npt.NDArray[np.uint8], *, mistakes: bool = False
) -> list[ExamplePanel]:
    """The image, or each of its named channels in grey; then truth and prediction.

    Args:
        example: without a truth there is no panel of it.
        palette: uint8 (K, 3), the colors of the classes.
        mistakes: add where truth and prediction differ.
    """
    names = example.channel_names
    titles: tuple[str, ...] = ("image",)
    pictures: list[npt.NDArray[Any]] = [example.image]
    if 1 < len(names) <= MOST_SEPARATE:
        order = sorted(range(len(names)), key=lambda channel: _rank(names[channel]))
        titles = tuple(CARDIAC_SEQUENCES.get(names[channel], names[channel]) for channel in order)
        pictures = [example.image[..., [channel]] for channel in order]
    found = [
        ExamplePanel(title=title, draw=partial(_photo, pixels))
        for title, pixels in zip(titles, pictures, strict=True)
    ]
    ground = pictures[-1]
    if example.truth is not None:
        draw = partial(_classes, ground, example.truth, palette)
        found.append(ExamplePanel(title="truth", draw=draw))
    draw = partial(_classes, ground, example.labels, palette)
    found.append(ExamplePanel(title="prediction", draw=draw))
    if mistakes and example.truth is not None:
        draw = partial(_mistakes, ground, example)
        found.append(ExamplePanel(title="mistakes", draw=draw))
    return found


def _rank(name: str) -> int:
    """Place of a sequence where it has a customary one; other channels keep their order."""
    known = list(CARDIAC_SEQUENCES)
    return known.index(name) if name in known else len(known)


def _photo(pixels: npt.NDArray[Any], size: Size) -> Picture:
    return resized(viewable(pixels), size)


def _classes(
    ground: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    palette: npt.NDArray[np.uint8],
    size: Size,
) -> Picture:
    return class_picture(ground, labels, palette, size=size)


def _mistakes(ground: npt.NDArray[Any], example: Example, size: Size) -> Picture:
    assert example.truth is not None
    return mistake_picture(ground, example.labels, example.truth, size=size)
