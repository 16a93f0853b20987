from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.inside_scene import looked_at
from segmint.images.opening_scenes import open_scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.images.slice_scene import SliceScene
from segmint.images.window import Window

SIZE = (12, 16)
WHOLE = Window.whole(*SIZE)


def image() -> np.ndarray:
    """float32 (H, W, 2) with values that are no numbers in the last four columns."""
    values = np.random.default_rng(0).normal(500, 20, (*SIZE, 2)).astype(np.float32)
    values[2, 13], values[5, 15, 1] = np.nan, np.inf
    return values


def region(*, columns: int = 12) -> ArrayScene:
    inside = np.zeros(SIZE, np.uint8)
    inside[:, :columns] = 9
    return ArrayScene.of_array(inside)


def test_outside_anything_may_stand() -> None:
    scene = looked_at(ArrayScene.of_array(image()), region())
    found = scene.read(WHOLE)
    bad = ~np.isfinite(image()).all(axis=-1)
    np.testing.assert_array_equal(scene.unreadable(WHOLE), bad)
    np.testing.assert_array_equal(found, np.where(bad[..., np.newaxis], 0, image()))
    unit = examined(ScenePixels(scene=scene, region=region()))
    finite = image()[~bad]
    assert (unit.low, unit.high) == (finite.min(), finite.max())


def test_inside_it_is_refused_or_skipped() -> None:
    stored = ArrayScene.of_array(image())
    with pytest.raises(InputError, match="holds 2 values that are NaN or infinite"):
        looked_at(stored, region(columns=14)).read(WHOLE)
    scene = looked_at(stored, region(columns=14), skip_bad=True)
    scene.read(WHOLE)
    unreadable = scene.unreadable(WHOLE)
    assert unreadable is not None
    assert np.argwhere(unreadable).tolist() == [[2, 13], [5, 15]]


def test_nothing_changes_without_need() -> None:
    whole = ArrayScene.of_array(np.zeros(SIZE, np.uint8))
    assert looked_at(whole, region()) is whole
    values = ArrayScene.of_array(image())
    assert looked_at(values, None) is values


def test_a_turned_file_and_a_slice(tmp_path: Path) -> None:
    turned = tmp_path / "turned.tif"
    tifffile.imwrite(turned, image()[..., 0], extratags=[(274, "H", 1, 6, True)])
    upright = np.rot90(image()[..., 0], -1)
    inside = np.rot90(region().image.pixels[..., 0], -1)
    with open_scene(turned) as stored:
        assert stored.size == upright.shape
        scene = looked_at(stored, ArrayScene.of_array(inside))
        found = scene.read(Window.whole(*stored.size))[..., 0]
        np.testing.assert_array_equal(found, np.where(np.isfinite(upright), upright, 0))
    stack = ArrayScene.of_array(np.stack([image(), image() + 1]), stack=True, skip_bad=True)
    part = SliceScene(stack, 1)
    assert part.depth is None
    np.testing.assert_array_equal(part.read(WHOLE), stack.read(WHOLE, 1))
    np.testing.assert_array_equal(part.unreadable(WHOLE), stack.unreadable(WHOLE, 1))
