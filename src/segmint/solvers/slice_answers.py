"""Answers of networks that normalize each slice of a stack by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels
from segmint.images.slice_scene import SliceScene
from segmint.images.window import Window
from segmint.inference.scene_answer import InTiles, SceneAnswer
from segmint.solvers.scene_sample import SceneSample, mosaic

_PIXELS = 1 << 18
"""Of a sample at most; a network takes about a second for them."""
_TILES = 16


class SliceAnswers:
    """One answer a slice, from a sample of it; that of the last slice is kept.

    A slice that is not larger than the sample is measured whole.

    Args:
        scene: an image or a stack.
        answer_of: makes the answer of a slice, always the same one of the same sample; all have
            the same classes.
        seed: of the samples.

    Raises:
        InputError: when no pixel of a sample can be read.
    """

    def __init__(
        self, scene: Scene, answer_of: Callable[[SceneSample], SceneAnswer], *, seed: int
    ) -> None:
        self._scene, self._answer_of, self._seed = scene, answer_of, seed
        sample = self._sample(0)
        self._plane, self._answer = 0, answer_of(sample)
        self.classes, self.block = self._answer.classes, self._answer.block
        alone = "" if scene.depth is None else ", each slice by itself"
        self.notes = (f"normalized by the statistics of {sample.said}{alone}",)

    @property
    def tile(self) -> int | None:
        """Side of what is computed at once, of all slices the same; None where it is unknown."""
        return self._answer.tile if isinstance(self._answer, InTiles) else None

    def keep_tile(self, tile: int) -> None:
        """Compute in tiles of that side from now on, as another process did."""
        if isinstance(self._answer, InTiles):
            self._answer.keep_tile(tile)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.integer[Any]]:
        """(h, w), 0 to K - 1."""
        return self._of(plane).labels(scene, window, plane)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """(K, h, w)."""
        return self._of(plane).probabilities(scene, window, plane)

    def _of(self, plane: int) -> SceneAnswer:
        if plane != self._plane:
            tile = self.tile
            self._answer, self._plane = self._answer_of(self._sample(plane)), plane
            if tile is not None:
                self.keep_tile(tile)
        return self._answer

    def _sample(self, plane: int) -> SceneSample:
        pixels = ScenePixels(scene=SliceScene(self._scene, plane))
        return mosaic(pixels, most=_PIXELS, tiles=_TILES, seed=self._seed)
