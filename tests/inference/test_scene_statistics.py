from __future__ import annotations

import numpy as np
import pytest

from segmint.datasets.channel_statistics import mean_and_deviation
from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference import scene_statistics as statistics
from segmint.inference.resized_scene import ResizedScene
from segmint.inference.scene_statistics import scene_statistics


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64])
def test_one_pass_gives_what_the_whole_image_gives(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_PIXELS_AT_ONCE", 400)
    pixels = (np.random.default_rng(0).random((3, 77, 53, 2)) * 200 + 1000).astype(kind)
    scene = ArrayScene.of_array(pixels, stack=True)
    scene.block = (8, 16)
    for plane in range(3):
        for found, expected in zip(
            scene_statistics(scene, plane), mean_and_deviation(pixels[plane]), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_scene_is_read_once() -> None:
    scene = ArrayScene.of_array(np.zeros((20, 20, 3), np.uint8))
    first = scene_statistics(scene)
    assert scene_statistics(scene) is first
    assert scene_statistics(scene, seen=ResizedScene(scene, (10, 10))) is not first


def test_unreadable_pixels_do_not_count() -> None:
    class Damaged(ArrayScene):
        def unreadable(self, window: Window, plane: int = 0) -> np.ndarray:
            return (np.arange(self.height) < 5)[window.slices[0], None] & np.ones(window.size, bool)

    pixels = np.random.default_rng(0).random((20, 30, 2))
    mean, deviation = scene_statistics(Damaged.of_array(pixels))
    np.testing.assert_allclose(mean, pixels[5:].mean(axis=(0, 1)))
    np.testing.assert_allclose(deviation, pixels[5:].std(axis=(0, 1)))


def test_nothing_to_measure() -> None:
    class Gone(ArrayScene):
        def unreadable(self, window: Window, plane: int = 0) -> np.ndarray:
            return np.ones(window.size, bool)

    with pytest.raises(InputError, match="no readable pixel"):
        scene_statistics(Gone.of_array(np.zeros((4, 4, 1))))
