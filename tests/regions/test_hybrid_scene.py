from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmint.errors import InputError, UsageError
from segmint.images import to_unit_range
from segmint.images.array_scene import ArrayScene
from segmint.images.scene_pixels import ScenePixels
from segmint.images.unit_range import UnitRange
from segmint.images.window import Window, blocks
from segmint.regions.hybrid import hybrid_segmentation
from segmint.regions.hybrid_scene import HybridScene, working_image
from segmint.regions.working_size import WorkingGrid


def picture(height: int, width: int, channels: int = 3, dtype: str = "uint8") -> np.ndarray:
    """Three areas with noise."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    base = np.where(columns * 3 > 2 * width, 0.8, 0.2)
    base[(rows - height / 2) ** 2 + (columns - width / 3) ** 2 < (height / 4) ** 2] = 0.5
    values = base[..., None] * np.linspace(1, 0.7, channels)
    values = np.clip(values + generator.normal(0, 0.05, values.shape), 0, 1)
    if dtype.startswith("float"):
        return (40 * values - 7).astype(dtype)
    return (values * np.iinfo(dtype).max).astype(dtype)


def answered(
    image: np.ndarray,
    region: np.ndarray | None,
    block: tuple[int, int],
    *,
    stack: bool = False,
    **options: Any,
) -> np.ndarray:
    """Labels put together from windows, -1 outside the region."""
    scene = ArrayScene.of_array(image, stack=stack)
    where = None
    if region is not None:
        where = ArrayScene.of_array(region.astype(np.uint8), stack=stack)
    answer = HybridScene(ScenePixels(scene=scene, region=where), **options)
    labels = np.full((scene.planes, *scene.size), -1)
    for plane in range(scene.planes):
        for window in blocks(*scene.size, block):
            found = answer.labels(scene, window, plane)
            assert found.min() >= 0
            assert found.max() < answer.classes
            labels[(plane, *window.slices)] = found
    labels = labels if stack else labels[0]
    return labels if region is None else np.where(region, labels, -1)


@settings(max_examples=20)
@given(
    size=st.tuples(st.integers(1, 75), st.integers(1, 75)),
    block=st.tuples(st.integers(9, 80), st.integers(9, 80)),
    working_pixels=st.integers(100, 4000),
    channels=st.sampled_from([1, 2, 3]),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "int32"]),
    bounded=st.booleans(),
)
def test_windows_give_the_labels_of_the_whole_image(
    size: tuple[int, int],
    block: tuple[int, int],
    working_pixels: int,
    channels: int,
    dtype: str,
    bounded: bool,
) -> None:
    image = picture(*size, channels, dtype)
    region = None
    if bounded:
        region = np.zeros(size, bool)
        region[size[0] // 4 :, : size[1] // 2 + 1] = True
    whole = hybrid_segmentation(
        to_unit_range(image), region=region, fineness=0.8, working_pixels=working_pixels
    )
    found = answered(image, region, block, fineness=0.8, working_pixels=working_pixels)
    np.testing.assert_array_equal(found, whole.labels)


@settings(max_examples=20)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    working_pixels=st.integers(1, 3000),
    wanted=st.tuples(st.integers(1, 80), st.integers(1, 80)),
)
def test_the_working_image_is_bit_for_bit_that_of_the_whole(
    size: tuple[int, int], working_pixels: int, wanted: tuple[int, int]
) -> None:
    image = picture(*size)
    region = np.random.default_rng(1).random(size) < 0.7
    pixels = ScenePixels(
        scene=ArrayScene.of_array(image), region=ArrayScene.of_array(region.astype(np.uint8))
    )
    grid = WorkingGrid.of(size, working_pixels)
    unit = to_unit_range(image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segmint.regions.hybrid_scene.pass_size", lambda _: wanted)
        found, mask = working_image(pixels, grid, UnitRange.of(image), 0)
    np.testing.assert_array_equal(found, grid.means(unit, region))
    np.testing.assert_array_equal(mask, grid.pooled(np.maximum, region))


def test_exact_number_of_components() -> None:
    image = picture(60, 90)
    found = answered(image, None, (32, 32), components=3, working_pixels=1000)
    assert np.unique(found).tolist() == [0, 1, 2]


def test_slices_of_a_stack_have_components_of_their_own() -> None:
    stack = np.stack([picture(40, 50), np.zeros((40, 50, 3), np.uint8), picture(40, 50)[::-1]])
    region = np.ones((3, 40, 50), bool)
    region[1] = False
    found = answered(stack, region, (32, 32), stack=True, components=3, working_pixels=500)
    assert np.unique(found[0]).tolist() == [0, 1, 2]
    assert np.unique(found[1]).tolist() == [-1]
    assert np.unique(found[2]).tolist() == [3, 4, 5]


def test_refusals() -> None:
    scene = ArrayScene.of_array(picture(30, 40))
    nowhere = ArrayScene.of_array(np.zeros((30, 40), np.uint8))
    with pytest.raises(InputError, match="no pixel of the image counts"):
        HybridScene(ScenePixels(scene=scene, region=nowhere))
    with pytest.raises(UsageError, match="regions were found"):
        HybridScene(ScenePixels(scene=scene), components=10_000)
    answer = HybridScene(ScenePixels(scene=scene), working_pixels=300)
    assert answer.decided == (
        "segmented at 20x15 of 40x30 pixels, boundaries moved on to the edges of the full image",
    )
    with pytest.raises(UsageError, match="'hybrid' has no probabilities"):
        answer.probabilities(scene, Window.whole(30, 40))
