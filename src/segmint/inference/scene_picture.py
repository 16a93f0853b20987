"""A small picture of a scene under the colors of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.labels import OUTSIDE
from segmint.images.normalization import display_rgb
from segmint.images.overlays import Picture, draw_overlay
from segmint.images.scene import Scene
from segmint.images.scene_overview import overview
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.scene_files import SceneFiles

LONGEST = 1600
"""Pixels of the longer side of the picture."""


def draw_scene(scene: Scene, files: SceneFiles, folder: Path, plane: int) -> Picture:
    """The overlay of a slice, its labels taken from the nearest level of the label file."""
    pixels = overview(scene, LONGEST, plane)
    if scene.dtype.kind in "ui":
        pixels = np.rint(pixels).astype(scene.dtype)
    if scene.channel_names:  # sequences, which are no colors
        pixels = pixels[..., :1]
    height, width = pixels.shape[:2]
    stored = _resampled(files.reduced(folder, max(height, width), plane), height, width)
    labels = np.where(stored == np.iinfo(stored.dtype).max, OUTSIDE, stored.astype(np.int64))
    return draw_overlay(display_rgb(pixels), labels, colors=files.colors)


def fullest_plane(planes: Sequence[LabelStatistics]) -> int:
    """The rule of :func:`segmint.images.viewing.fullest_slice`, from what was counted."""
    areas = np.array([int(each.counts.sum()) for each in planes])
    middle = (len(planes) - 1) / 2

    def worth(index: int) -> tuple[int, float]:
        return len(planes[index].present), -abs(index - middle)

    return max(np.flatnonzero(2 * areas >= areas.max()).tolist(), key=worth)


def _resampled(labels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Each pixel of the picture gets the label at its middle."""
    rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(np.intp)
    return np.asarray(labels[rows[:, np.newaxis], columns])
