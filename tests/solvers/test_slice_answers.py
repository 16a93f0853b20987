from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.scene_answer import InTiles
from segmint.solvers.scene_sample import SceneSample
from segmint.solvers.slice_answers import SliceAnswers


class Tiles:
    """Says in each pixel how large its tiles are."""

    classes, block, notes = 1000, (512, 512), ()

    def __init__(self, tile: int) -> None:
        self.tile = tile

    def keep_tile(self, tile: int) -> None:
        self.tile = tile

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[Any]:
        return np.full(window.size, self.tile)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        raise NotImplementedError


def test_all_slices_are_computed_in_the_same_tiles() -> None:
    scene = ArrayScene.of_array(np.zeros((3, 4, 5, 1), np.uint8), stack=True)
    sides = iter([256, 128, 64, 512])

    def answer_of(sample: SceneSample) -> Tiles:
        return Tiles(next(sides))  # as much as fits when it is made

    answers = SliceAnswers(scene, answer_of, seed=0)
    assert isinstance(answers, InTiles)
    window = Window.whole(4, 5)
    assert answers.labels(scene, window, 1).max() == answers.tile == 256
    answers.keep_tile(320)
    assert [answers.labels(scene, window, plane).max() for plane in (1, 2, 0)] == [320] * 3
