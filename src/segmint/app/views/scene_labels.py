"""Labels of large images: what the page shows of a result that was written window by window."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.app.views.scene_overviews import turning, upright_scene_size
from segmint.app.views.view import label_png, nearest, view_path, view_size, write_view
from segmint.errors import InputError
from segmint.images.labels import OUTSIDE
from segmint.images.opening_scenes import open_scene
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.scene_picture import fullest_plane

_BAND_PIXELS = 4 << 20
"""Of labels that are read together."""


def write_scene_label_view(views: Path, labels: Path, image: Path, index: int = 0) -> Path:
    """Draw the labels of a slice, each that of the native pixel under the middle of a view pixel.

    Args:
        views: folder for the view.
        labels: the label file of a result that was written window by window.
        image: what it was made of, which says how it stands upright.
        index: of a stack the slice.

    Returns:
        The file.

    Raises:
        InputError: when a file is damaged, or there is no such slice.
        OutputError: when the view cannot be written.
    """
    with open_scene(image) as scene, open_scene(labels, pages="stack") as stored:
        check_slice(scene, index)
        plane = _view_of(stored, scene, index)
    path = view_path(views, "labels", index)
    write_view(path, label_png(plane))
    return path


def fullest_scene_slice(labels: Path) -> int:
    """The slice that is shown first: of a stack the one with the most components."""
    with open_scene(labels, pages="stack") as stored:
        if stored.depth is None:
            return 0
        return fullest_plane([_counted(stored, plane) for plane in range(stored.planes)])


def scene_legend(components: Path) -> list[dict[str, Any]]:
    """What the page lists of each id, from the table of a result.

    Args:
        components: ``components.csv`` of the result.
    """
    with components.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = max(sum(int(row["pixels"]) for row in rows), 1)
    return [
        {
            "id": int(row["id"]),
            "name": row.get("name", ""),
            "color": row["color"],
            "pixels": int(row["pixels"]),
            "fraction": int(row["pixels"]) / whole,
        }
        for row in rows
    ]


def upright_view(scene: Scene) -> tuple[int, int]:
    """Height and width of the views of a scene."""
    return view_size(*upright_scene_size(scene))


def check_slice(scene: Scene, index: int) -> None:
    """Refuse to draw a slice that there is not.

    Raises:
        InputError: says which there are.
    """
    if not 0 <= index < scene.planes:
        raise InputError(
            f"{scene.source} has no slice {index}, accepted is 0 to {scene.planes - 1}: choose one"
        )


def _view_of(stored: Scene, scene: Scene, index: int) -> NDArray[np.int32]:
    """Labels (h, w) of the view of a slice; memory holds a band of the plane."""
    turn, view = turning(scene), upright_view(scene)
    height, width = scene.size
    places = np.arange(height)[:, np.newaxis], np.arange(width)
    down, across = (nearest(turn(np.broadcast_to(each, scene.size)), view) for each in places)
    ids = np.empty(view, stored.dtype)
    for window in _bands(stored):
        inside = (down >= window.top) & (down < window.bottom)
        if inside.any():
            band = stored.read(window, index)[..., 0]
            ids[inside] = band[down[inside] - window.top, across[inside]]
    return _labels(ids).astype(np.int32)


def _counted(stored: Scene, plane: int) -> LabelStatistics:
    counts = np.zeros(0, np.int64)
    for window in _bands(stored):
        found = np.bincount(_labels(stored.read(window, plane)).ravel() + 1)[1:]
        counts = np.pad(counts, (0, max(0, len(found) - len(counts))))
        counts[: len(found)] += found
    nothing = np.zeros(0)
    return LabelStatistics(counts=counts, first=nothing.astype(np.int64), sums=nothing)


def _bands(stored: Scene) -> Iterator[Window]:
    """Whole rows of the tiles of a file."""
    rows = stored.block[0]
    step = rows * max(1, math.floor(_BAND_PIXELS / (rows * stored.width)))
    for top in range(0, stored.height, step):
        bottom = min(top + step, stored.height)
        yield Window(top=top, bottom=bottom, left=0, right=stored.width)


def _labels(ids: NDArray[Any]) -> NDArray[np.int64]:
    """The greatest value of a label file is outside the region."""
    return np.where(ids == np.iinfo(ids.dtype).max, OUTSIDE, ids.astype(np.int64))
