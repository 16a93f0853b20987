from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from segmint.datasets.resizing import resized_image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.resampling import Resampling, between_centers, smoothed
from segmint.inference.resized_scene import ResizedScene

lengths = st.integers(1, 90)


def by_torch(values: np.ndarray, new: int, *, antialias: bool) -> np.ndarray:
    """(new, C) of values (old, C)."""
    columns = torch.from_numpy(values.T.copy())[None, :, None]
    size = (1, new)
    found = functional.interpolate(
        columns, size, mode="bilinear", antialias=antialias, align_corners=False
    )
    return found[0, :, 0].numpy().T


def of_windows(resampling: Resampling, values: np.ndarray, length: int) -> np.ndarray:
    """The new values, each window made of the old ones that it says it needs."""
    parts = []
    for start in range(0, len(resampling.first), length):
        stop = min(start + length, len(resampling.first))
        first, end = resampling.needed(start, stop)
        assert 0 <= first < end <= len(values)
        parts.append(resampling.part(start, stop)(values[first:end], 0))
    return np.concatenate(parts)


@given(old=lengths, new=lengths, length=st.integers(1, 40))
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_smoothed_is_torch_s(kind: type, old: int, new: int, length: int) -> None:
    values = np.random.default_rng(0).normal(size=(old, 2)).astype(kind)
    resampling = smoothed(old, new, np.dtype(kind))
    found = resampling(values, 0)
    assert found.dtype == kind
    # A float32 center may lie at the edge of one old pixel more, whose weight is then rounding.
    tolerance = 1e-5 if kind == np.float32 else 1e-12
    expected = by_torch(values, new, antialias=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(of_windows(resampling, values, length), found)
    np.testing.assert_allclose(resampling.weights.sum(axis=1), 1, rtol=1e-6)


@given(old=lengths, new=lengths, length=st.integers(1, 40))
def test_between_centers_is_torch_s(old: int, new: int, length: int) -> None:
    values = np.random.default_rng(0).normal(size=(old, 2)).astype(np.float32)
    resampling = between_centers(old, new)
    found = resampling(values, 0)
    expected = by_torch(values, new, antialias=False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(of_windows(resampling, values, length), found)


def test_long_axes() -> None:
    # Far from the start, single precision places centers coarsely, and as torch does.
    old, new = 40_000, 17_777
    values = np.random.default_rng(0).normal(size=(old, 1)).astype(np.float32)
    for resampling, antialias in (
        (smoothed(old, new, np.dtype(np.float32)), True),
        (between_centers(old, new), False),
    ):
        found = resampling(values, 0)
        np.testing.assert_allclose(found, by_torch(values, new, antialias=antialias), atol=2e-3)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@settings(max_examples=20)
@given(
    old=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    new=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    channels=st.sampled_from([1, 3, 4, 5]),
    block=st.tuples(st.integers(5, 80), st.integers(5, 80)),
    stored=st.tuples(st.integers(3, 80), st.integers(3, 80)),
)
def test_windows_are_those_of_the_resized_image(
    kind: type,
    old: tuple[int, int],
    new: tuple[int, int],
    channels: int,
    block: tuple[int, int],
    stored: tuple[int, int],
) -> None:
    generator = np.random.default_rng(0)
    values = generator.integers(0, 256, (*old, channels)).astype(kind)
    if kind == np.uint16:
        values *= 257
    scene = ArrayScene.of_array(values)
    scene.block = stored
    resized = ResizedScene(scene, new)
    expected = resized_image(values, new)
    found = np.zeros_like(expected)
    for window in blocks(*new, block):
        part = resized.read(window)
        assert part.dtype == values.dtype
        found[window.slices] = part
    if kind == np.uint8:
        np.testing.assert_array_equal(found, expected)
    elif np.dtype(kind).kind == "f":
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    else:
        difference = found.astype(np.int64) - expected
        assert abs(difference).max() <= 1
        assert (difference != 0).mean() <= 0.02 or difference.size < 50


def test_slices_and_what_is_told() -> None:
    stack = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 2)).astype(np.uint8)
    scene = ArrayScene.of_array(stack, stack=True)
    resized = ResizedScene(scene, (11, 40))
    assert (resized.size, resized.channels, resized.depth) == ((11, 40), 2, 3)
    for plane in range(3):
        found = resized.read(Window.whole(11, 40), plane)
        np.testing.assert_array_equal(found, resized_image(stack[plane], (11, 40)))


def test_no_window_reads_much_more_than_it_shows() -> None:
    class Counted(ArrayScene):
        most = 0

        def read(self, window: Window, plane: int = 0) -> Any:
            self.most = max(self.most, window.size[0] * window.size[1])
            return super().read(window, plane)

    scene = Counted.of_array(np.zeros((600, 500, 1), np.uint8))
    scene.block = (50, 50)
    ResizedScene(scene, (300, 250)).read(Window(top=100, bottom=140, left=10, right=30))
    assert scene.most <= 50 * 44
