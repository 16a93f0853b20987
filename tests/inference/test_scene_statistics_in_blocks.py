"""Statistics of scenes that are read in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference import scene_statistics as module
from segmint.inference.resized_scene import ResizedScene
from segmint.inference.scene_statistics import scene_statistics


def values(*shape: int, kind: type = np.float64) -> np.ndarray:
    found = np.random.default_rng(0).gamma(2.0, 30.0, shape) + 1000 * np.arange(shape[-1])
    return found.astype(kind)


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    block=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    at_once=st.sampled_from([1, 100, 1500]),
)
def test_of_the_whole(size: tuple[int, int], block: tuple[int, int], at_once: int) -> None:
    pixels = values(*size, 3)
    scene = ArrayScene.of_array(pixels)
    scene.block = block
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIXELS_AT_ONCE", at_once)
        mean, deviation = scene_statistics(scene)
    np.testing.assert_allclose(mean, pixels.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(deviation, pixels.std(axis=(0, 1)), rtol=1e-9, atol=1e-10)


def test_large_values_do_not_cancel() -> None:
    pixels = 1e9 + values(80, 90, 2)
    scene = ArrayScene.of_array(pixels)
    scene.block = (7, 11)
    _, deviation = scene_statistics(scene)
    np.testing.assert_allclose(deviation, pixels.std(axis=(0, 1)), rtol=1e-6)


def test_each_slice_by_itself() -> None:
    stack = values(4, 20, 30, 2, kind=np.uint16)
    stack[2] //= 3
    scene = ArrayScene.of_array(stack, stack=True)
    for plane in (2, 0, 2):
        mean, deviation = scene_statistics(scene, plane)
        np.testing.assert_allclose(mean, stack[plane].mean(axis=(0, 1)), rtol=1e-12)
        np.testing.assert_allclose(deviation, stack[plane].std(axis=(0, 1)), rtol=1e-9)


def test_at_another_size() -> None:
    scene = ArrayScene.of_array(values(60, 80, 3).astype(np.float32))
    seen = ResizedScene(scene, (21, 28))
    whole = seen.read(Window.whole(21, 28))
    mean, deviation = scene_statistics(scene, seen=seen)
    np.testing.assert_allclose(mean, whole.mean(axis=(0, 1), dtype=float), rtol=1e-6)
    np.testing.assert_allclose(deviation, whole.std(axis=(0, 1), dtype=float), rtol=1e-5)
    own, _ = scene_statistics(scene)
    assert not np.array_equal(own, mean)


def test_unreadable_pixels_do_not_count() -> None:
    pixels = values(20, 30, 2)
    bad = np.zeros((20, 30), bool)
    bad[3:9, 4:20] = True
    spoilt = np.where(bad[..., None], np.nan, pixels)
    scene = ArrayScene.of_array(spoilt, skip_bad=True)
    scene.block = (8, 30)
    mean, deviation = scene_statistics(scene)
    np.testing.assert_allclose(mean, pixels[~bad].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(deviation, pixels[~bad].std(axis=0), rtol=1e-9)
