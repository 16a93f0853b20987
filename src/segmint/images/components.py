"""What the areas of a segmentation are: size, share, mean value and color."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.palettes import colors_of, to_hex
from segmint.runs import write_text

_MOST_DENSE_IDS = 100_000
"""Below this, counting every possible id is faster than sorting those that occur."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One label of a segmentation."""

    id: int
    """The value in the label file."""

    name: str | None = None
    """What it is called, where it has a name."""

    pixels: int
    """How many pixels have this label."""

    fraction: float
    """Share of all labelled pixels, 0 to 1; pixels outside the region do not count."""

    mean: tuple[float, ...]
    """Mean value of each channel, in the image's own units."""

    color: str
    """Color in the overlay and in the label file, ``#rrggbb``."""


def component_table(
    pixels: npt.NDArray[Any],
    labels: npt.NDArray[np.integer[Any]],
    *,
    names: Mapping[int, str] | None = None,
    colors: npt.NDArray[np.uint8] | None = None,
) -> list[Component]:
    """Describe every label that occurs, by increasing id.

    Args:
        pixels: (H, W, C), (D, H, W, C), or the shape of ``labels`` for one channel.
        labels: integers (H, W) or (D, H, W); pixels below 0 lie outside the region.
        names: names of some ids.
        colors: uint8 (K, 3), the colors an overlay was drawn with; the fixed palette when not
            given.

    Raises:
        InputError: when pixels and labels do not have the same shape.

    Example:
        >>> image = np.array([[10, 20, 90]], dtype=np.uint8)
        >>> [(c.id, c.pixels, c.mean) for c in component_table(image, np.array([[0, 0, 1]]))]
        [(0, 2, (15.0,)), (1, 1, (90.0,))]
    """
    if pixels.shape == labels.shape:
        pixels = pixels[..., np.newaxis]
    if pixels.shape[:-1] != labels.shape:
        raise InputError(
            f"image has shape {pixels.shape} and labels {labels.shape}, accepted is one label a "
            "pixel: pass the labels of this image"
        )
    inside = labels >= 0
    whole = bool(inside.all())
    ids, positions = _numbered(labels.ravel() if whole else labels[inside])
    counts = np.bincount(positions, minlength=len(ids))
    channels = np.moveaxis(pixels, -1, 0)
    sums = [
        np.bincount(positions, values.ravel() if whole else values[inside], len(ids))
        for values in channels
    ]
    means = np.stack(sums, axis=-1) / np.maximum(counts, 1)[:, np.newaxis]
    return [
        Component(
            id=label,
            name=names.get(label) if names else None,
            pixels=int(counts[index]),
            fraction=float(counts[index] / len(positions)),
            mean=tuple(means[index].tolist()),
            color=_hex_color(label, colors),
        )
        for index, label in enumerate(ids.tolist())
        if counts[index]
    ]


def write_components_csv(
    path: Path, components: Sequence[Component], *, channels: Sequence[str] | None = None
) -> None:
    """Write components as CSV, whole or not at all.

    Columns: ``id``, ``name`` where any component has one, ``pixels``, ``fraction`` (0 to 1, 6
    decimals), a mean for each channel in the image's own units (6 significant digits), ``color``
    (``#rrggbb``). The means are ``mean_red``, ``mean_green`` and ``mean_blue`` for three channels,
    else ``mean_0``, ``mean_1`` and so on.

    Args:
        path: the file.
        components: rows, from ``component_table``.
        channels: names of the channels, in place of red, green and blue or the numbers.

    Raises:
        OutputError: when the file cannot be written.
    """
    named = any(component.name for component in components)
    count = len(components[0].mean) if components else 0
    if channels is None:
        channels = ("red", "green", "blue") if count == 3 else tuple(map(str, range(count)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    means = [f"mean_{channel}" for channel in channels]
    writer.writerow(["id", *(["name"] if named else []), "pixels", "fraction", *means, "color"])
    for component in components:
        writer.writerow(
            [
                component.id,
                *([component.name or ""] if named else []),
                component.pixels,
                f"{component.fraction:.6f}",
                *(f"{value:.6g}" for value in component.mean),
                component.color,
            ]
        )
    write_text(path, text.getvalue())


def _numbered(
    labels: npt.NDArray[np.integer[Any]],
) -> tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]:
    """Ids in increasing order, and for each pixel the position of its id among them."""
    high = int(labels.max(initial=0))
    if high < _MOST_DENSE_IDS:
        return np.arange(high + 1), labels
    return np.unique(labels, return_inverse=True)


def _hex_color(label: int, colors: npt.NDArray[np.uint8] | None) -> str:
    chosen = colors_of(label) if colors is None else colors[label]
    red, green, blue = chosen.tolist()
    return to_hex((red, green, blue))
