from __future__ import annotations

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import to_unit_range
from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.images.scene_pixels import PASS_PIXELS, ScenePixels, examined, pass_size
from segmint.images.unit_range import UnitRange
from segmint.images.window import Window


class Plain(Scene):
    """A scene that looks at no value."""

    def __init__(self, array: np.ndarray, block: tuple[int, int] = (7, 5)) -> None:
        self.array, self.dtype, self.block = array, array.dtype, block
        self.height, self.width, self.channels = array.shape

    def read(self, window: Window, plane: int = 0) -> np.ndarray:
        return self.array[window.slices]


@pytest.mark.parametrize(
    ("size", "block"),
    [
        ((20_000, 20_000), (512, 512)),
        ((20_000, 20_000), (1, 20_000)),
        ((100_000, 100_000), (100_000, 100_000)),
        ((30, 40), (7, 5)),
        ((5, 100_000_000), (1, 64)),
    ],
)
def test_windows_of_a_pass_are_whole_blocks_and_bounded(
    size: tuple[int, int], block: tuple[int, int]
) -> None:
    scene = Plain(np.zeros((1, 1, 1)), block)
    scene.height, scene.width = size
    rows, columns = pass_size(scene)
    assert 1 <= rows * columns <= 4 * PASS_PIXELS
    for side, part, whole in zip((rows, columns), block, size, strict=True):
        assert side <= whole
        assert side == whole or side % min(part, 4096) == 0


def test_windows_cover_all_pixels_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmint.images.scene_pixels.PASS_PIXELS", 100)
    image = np.arange(30 * 41, dtype=np.int32).reshape(30, 41, 1)
    region = (image[..., 0] % 7 > 2).astype(np.uint8)
    pixels = ScenePixels(scene=Plain(image), region=ArrayScene.of_array(region))
    seen = [values[counts] for _, values, counts in pixels.windows()]
    assert len(seen) > 4
    assert sorted(np.concatenate(seen)[:, 0].tolist()) == image[region > 0][:, 0].tolist()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int64", "float32", "float64"])
def test_the_range_is_that_of_the_whole_image(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmint.images.scene_pixels.PASS_PIXELS", 100)
    image = np.random.default_rng(0).integers(0, 99, (30, 41, 2)).astype(dtype)
    region = np.zeros((30, 41), np.uint8)
    region[3:9] = 1
    unit = examined(ScenePixels(scene=Plain(image), region=ArrayScene.of_array(region)))
    np.testing.assert_array_equal(unit(image[5:9, 2:7]), to_unit_range(image)[5:9, 2:7])


def test_values_that_are_no_numbers_are_counted_and_refused() -> None:
    image = np.zeros((12, 12, 1), np.float32)
    image[1, 2], image[8, 9], image[9, 9] = np.nan, np.inf, -np.inf
    region = np.zeros((12, 12), np.uint8)
    region[6:] = 1
    with pytest.raises(InputError, match="holds 3 values that are NaN or infinite"):
        examined(ScenePixels(scene=Plain(image)))
    pixels = ScenePixels(scene=Plain(image), region=ArrayScene.of_array(region))
    with pytest.raises(InputError, match="holds 2 values"):
        examined(pixels)
    with pytest.raises(InputError, match="holds 1 values"):
        pixels.read(Window(top=7, bottom=9, left=0, right=12))
    values, counts = pixels.read(Window(top=0, bottom=6, left=0, right=12))
    assert counts is not None
    assert not counts.any()
    assert np.isnan(values[1, 2, 0])


def test_what_cannot_be_read_has_no_part_in_the_range() -> None:
    image = np.full((8, 8, 1), 3.0)
    image[2:, :] = 5
    image[0, 0] = np.nan
    unit = examined(ScenePixels(scene=ArrayScene.of_array(image, skip_bad=True)))
    assert unit == UnitRange(low=3, high=5)
