"""k-means on a scene: centers of a sample of its pixels, the nearest center of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import UsageError
from segmint.images.normalization import ChannelMap, channel_map
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.images.unit_range import UnitRange
from segmint.images.window import Window
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.kmeans import SAMPLE, KmeansOptions, fitted_centers
from segmint.methods.method import Task
from segmint.mixtures.standardized import parts
from segmint.solvers.answer_block import answer_block
from segmint.solvers.scene_sample import sampled_values

_ROWS = 1 << 20
"""Pixels that are assigned together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CenterAnswer:
    """The nearest center of each pixel."""

    unit: UnitRange
    mapping: ChannelMap
    """The normalization, of values in 0..1."""
    centers: Any
    """scikit-learn's ``KMeans``."""
    classes: int
    block: tuple[int, int] = answer_block(1)
    notes: tuple[str, ...] = ()

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.int32]:
        """(h, w), 0 to K - 1."""
        pixels = scene.read(window, plane).reshape(-1, scene.channels)
        found = np.empty(len(pixels), np.int32)
        for part in parts(len(pixels), _ROWS):
            found[part] = self.centers.predict(self.mapping(self.unit(pixels[part])))
        return found.reshape(window.size)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """There are none.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "method 'kmeans' has no probabilities: leave --probabilities out or use 'em-gmm'"
        )


def kmeans_of_scene(scene: Scene, options: KmeansOptions, task: Task) -> SceneOutcome:
    """What segments a scene, or a stack, by the nearest center of each pixel."""
    pixels = ScenePixels(scene=scene, region=task.scene_region)
    unit = examined(pixels)
    sample = sampled_values(pixels, SAMPLE, task.seed)
    values = unit(sample.inside())
    mapping = channel_map(values, options.normalization)
    answer = CenterAnswer(
        unit=unit,
        mapping=mapping,
        centers=fitted_centers(mapping(values), options, task.seed),
        classes=options.components,
    )
    return SceneOutcome(answer=answer, notes=(f"the centers were fitted to {sample.said}",))
