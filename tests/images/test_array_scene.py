"""Scenes in memory, and what every scene refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.errors import InputError, UsageError
from segmint.images import Image, Window, can_stream, open_scene, read_image
from segmint.images.array_scene import ArrayScene

NUMBERS = np.arange(4 * 6 * 5 * 3, dtype=np.float32).reshape(4, 6, 5, 3)
WINDOW = Window(top=1, bottom=4, left=2, right=5)


def test_an_image_in_memory() -> None:
    image = Image(pixels=NUMBERS[0], channel_names=("a", "b", "c"), spacing=(1.0, 2.0))
    scene = ArrayScene(image)
    assert (scene.shape, scene.channels, scene.dtype) == ((6, 5), 3, np.float32)
    assert (scene.channel_names, scene.spacing) == (("a", "b", "c"), (1.0, 2.0))
    np.testing.assert_array_equal(scene.read(WINDOW), NUMBERS[0, 1:4, 2:5])
    assert scene.unreadable(WINDOW) is None
    stack = ArrayScene.of_array(NUMBERS, stack=True)
    assert stack.shape == (4, 6, 5)
    np.testing.assert_array_equal(stack.read(WINDOW, 3), NUMBERS[3, 1:4, 2:5])


def test_values_that_are_no_numbers() -> None:
    array = NUMBERS[0].copy()
    array[2, 3, 1], array[3, 4, 0], array[0, 0, 0] = np.nan, np.inf, -np.inf
    scene = ArrayScene.of_array(array)
    scene.read(Window(top=4, bottom=6, left=0, right=5))
    with pytest.raises(InputError, match=r"image holds 2 values .* rows 1 to 3, columns 2 to 4"):
        scene.read(WINDOW)
    skipping = ArrayScene.of_array(array, skip_bad=True)
    assert skipping.unreadable(WINDOW) is None
    pixels, bad = skipping.read(WINDOW), skipping.unreadable(WINDOW)
    assert bad is not None
    assert np.argwhere(bad).tolist() == [[1, 1], [2, 2]]
    expected = array[WINDOW.slices].copy()
    expected[1, 1] = expected[2, 2] = 0
    np.testing.assert_array_equal(pixels, expected)
    assert np.isnan(array[2, 3, 1])
    core = skipping.unreadable(Window(top=2, bottom=3, left=3, right=4))
    assert core is not None
    assert core.all()
    assert skipping.unreadable(Window(top=4, bottom=6, left=0, right=5)) is None


@pytest.mark.parametrize(
    ("window", "plane"),
    [
        (Window(top=0, bottom=7, left=0, right=5), 0),
        (Window(top=-1, bottom=3, left=0, right=5), 0),
        (Window(top=3, bottom=3, left=0, right=5), 0),
        (WINDOW, 1),
        (WINDOW, -1),
    ],
)
def test_windows_lie_inside(window: Window, plane: int) -> None:
    with pytest.raises(ValueError, match="does not lie in"):
        ArrayScene.of_array(NUMBERS[0]).read(window, plane)


def test_other_formats_are_decoded_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pillow.fromarray(NUMBERS[0].astype(np.uint8)).save(path)
    assert not can_stream(path)
    with open_scene(path) as scene:
        assert isinstance(scene, ArrayScene)
        np.testing.assert_array_equal(scene.read(WINDOW), read_image(path).pixels[WINDOW.slices])
        assert scene.source == path
    with pytest.raises(InputError, match="counts 30 pixels"):
        open_scene(path, max_pixels=29)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for opener in (open_scene, can_stream):
        with pytest.raises(InputError, match="does not exist"):
            opener(tmp_path / "none.tif")
        with pytest.raises(InputError, match="is a folder"):
            opener(tmp_path)
        with pytest.raises(UsageError, match="did you mean 'stack'"):
            opener(tmp_path, pages="stak")
    (tmp_path / "note.tif").write_text("hello")
    with pytest.raises(InputError, match="is not an image but text"):
        can_stream(tmp_path / "note.tif")
    (tmp_path / "cut.tif").write_bytes(b"II*\0\x08\0\0\0")
    with pytest.raises(InputError, match="damaged"):
        open_scene(tmp_path / "cut.tif")
