from __future__ import annotations

import numpy as np
import pytest

import segmint
from segmint.errors import UsageError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.methods.segment import fit_scene
from segmint.metrics import adjusted_rand_index


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_of_a_small_image_it_is_what_the_method_finds(dtype: str) -> None:
    generator = np.random.default_rng(0)
    centers = np.array([[20, 30, 40], [120, 110, 200], [220, 90, 30]])
    image = centers[generator.integers(0, 3, (40, 50))] + generator.normal(0, 4, (40, 50, 3))
    image = image.astype(dtype)
    region = np.ones((40, 50), np.uint8)
    region[:7] = 0
    scene = ArrayScene.of_array(image)
    outcome = fit_scene(
        scene, "kmeans", components=3, normalization="z-score", region=ArrayScene.of_array(region)
    )
    whole = segmint.segment(image, "kmeans", components=3, normalization="z-score", region=region)
    found = np.empty((40, 50), np.int32)
    for window in blocks(40, 50, (16, 21)):
        found[window.slices] = outcome.answer.labels(scene, window)
    assert adjusted_rand_index(found[7:], whole.labels[7:], ignore_index=None) == 1
    assert outcome.answer.classes == 3


def test_refusals() -> None:
    scene = ArrayScene.of_array(np.zeros((20, 20), np.uint8))
    with pytest.raises(UsageError, match="more than the 1 distinct pixel values"):
        fit_scene(scene, "kmeans")
    outcome = fit_scene(scene, "kmeans", components=1)
    with pytest.raises(UsageError, match="'kmeans' has no probabilities"):
        outcome.answer.probabilities(scene, Window.whole(20, 20))
