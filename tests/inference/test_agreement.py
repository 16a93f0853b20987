from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.agreement import Agreement, agreement_with_float32


@dataclass
class Given:
    """Says of each pixel what an array says."""

    maps: np.ndarray
    classes: int = 2
    block: tuple[int, int] = (64, 64)
    notes: tuple[str, ...] = ()

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> np.ndarray:
        return self.probabilities(scene, window, plane).argmax(axis=0)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> np.ndarray:
        found: np.ndarray = self.maps[:, *window.slices]
        return found


def maps(height: int, width: int) -> np.ndarray:
    first = np.random.default_rng(0).uniform(0.6, 1, (height, width)).astype(np.float32)
    return np.stack([first, 1 - first])


def test_only_the_middle_counts() -> None:
    exact = maps(400, 300)
    fast = exact.copy()
    fast[:, :72] = fast[::-1, :72]  # all others, but outside of the middle
    fast[:, 100, 100:125] = exact[::-1, 100, 100:125]
    scene = ArrayScene.of_array(np.zeros((400, 300), np.uint8))
    found = agreement_with_float32(Given(fast), Given(exact), scene)
    assert found.pixels == 256 * 256
    assert found.equal == pytest.approx(1 - 25 / 256**2)
    assert found.difference == pytest.approx(np.abs(fast - exact)[:, 100].max())


def test_small_images_count_whole() -> None:
    exact = maps(5, 300)
    scene = ArrayScene.of_array(np.zeros((5, 300), np.uint8))
    found = agreement_with_float32(Given(exact), Given(exact), scene)
    assert found == Agreement(pixels=5 * 256, equal=1.0, difference=0.0)


@pytest.mark.parametrize(
    ("equal", "share"), [(1.0, "at 100 % of"), (1 - 1e-6, "at 99.99 % of"), (0.5, "at 50.00 % of")]
)
def test_rounding_hides_nothing(equal: float, share: str) -> None:
    assert share in Agreement(pixels=9, equal=equal, difference=0.1).sentence("int8", "a.png")
