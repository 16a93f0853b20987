from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.datasets.resizing import resized_image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window
from segmint.inference import resized_scene
from segmint.inference.resized_scene import ResizedScene

SIDES = st.integers(2, 70)
KINDS = st.sampled_from([np.uint8, np.uint16, np.int16, np.float32, np.float64])


@given(
    shape=st.tuples(SIDES, SIDES, st.sampled_from([1, 3, 5])),
    size=st.tuples(SIDES, SIDES),
    kind=KINDS,
    block=st.integers(1, 40),
    data=st.data(),
)
def test_windows_are_those_of_the_resized_image(
    shape: tuple[int, int, int],
    size: tuple[int, int],
    kind: type,
    block: int,
    data: st.DataObject,
) -> None:
    values = np.random.default_rng(0).random(shape) * (250 if np.dtype(kind).kind in "iu" else 1)
    pixels = values.astype(kind)
    scene = ArrayScene.of_array(pixels)
    scene.block = (block, block)
    top, left = (data.draw(st.integers(0, side - 1)) for side in size)
    bottom, right = (
        data.draw(st.integers(start + 1, side))
        for start, side in zip((top, left), size, strict=True)
    )
    window = Window(top=top, bottom=bottom, left=left, right=right)
    found = ResizedScene(scene, size).read(window)
    expected = resized_image(pixels, size)[window.slices]
    assert found.dtype == kind
    # Halves of wide integers may be rounded to either side.
    tolerance = {"u": 1, "i": 1, "f": 1e-5}[found.dtype.kind] if kind != np.uint8 else 0
    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=tolerance)


def test_it_reads_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resized_scene, "_VALUES_AT_ONCE", 5000)
    pixels = np.random.default_rng(0).integers(0, 256, (400, 500, 3)).astype(np.uint8)
    sizes: list[int] = []

    class Watched(ArrayScene):
        def read(self, window: Window, plane: int = 0) -> np.ndarray[tuple[int, ...], np.dtype]:
            sizes.append(window.size[0] * window.size[1] * 3)
            return super().read(window, plane)

    scene = Watched.of_array(pixels)
    scene.block = (16, 16)
    found = ResizedScene(scene, (40, 50)).read(Window.whole(40, 50))
    np.testing.assert_array_equal(found, resized_image(pixels, (40, 50)))
    assert max(sizes) < 8000
