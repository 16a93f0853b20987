"""What is kept of an image makes the hybrid method quicker and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmint
from segmint.methods.method import WarmStart
from segmint.regions.hybrid import HybridHierarchy, hybrid_segmentation, segmentation_from
from segmint.regions.hybrid_start import HybridStart, MeasuredImage


def scene(seed: int = 0, shape: tuple[int, int] = (40, 56)) -> np.ndarray:
    """Float32 (H, W, 3): noisy blocks."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.random((4, 4, 3)), np.ones((shape[0] // 4, shape[1] // 4, 1)))
    noisy = np.clip(blocks + rng.normal(scale=0.05, size=blocks.shape), 0, 1)
    return noisy.astype(np.float32)


def scribbles(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Int32 (H, W): rectangles of a few ids that may cross leaves and each other, -1 elsewhere."""
    marks = np.full(shape, -1, np.int32)
    for label in range(int(rng.integers(2, 5))):
        top, left = (int(rng.integers(0, side - 6)) for side in shape)
        down, right = rng.integers(1, 6, 2)
        marks[top : top + down, left : left + right] = label * 3
    return marks


def assert_same(first: HybridHierarchy, second: HybridHierarchy) -> None:
    np.testing.assert_array_equal(first.leaves, second.leaves)
    np.testing.assert_array_equal(first.assignment, second.assignment)
    np.testing.assert_array_equal(first.tree.merges, second.tree.merges)
    np.testing.assert_array_equal(first.tree.heights, second.tree.heights)
    np.testing.assert_array_equal(first.boundary_strength, second.boundary_strength)


@settings(max_examples=12)
@given(
    st.integers(0, 2**16),
    st.booleans(),
    st.sampled_from([400, 900, 200_000]),
)
def test_further_scribbles_are_answered_as_if_they_were_the_first(
    seed: int, has_region: bool, working_pixels: int
) -> None:
    rng = np.random.default_rng(seed)
    image = scene(seed)
    region = None
    if has_region:
        region = np.zeros(image.shape[:2], bool)
        region[3:37, 5:50] = True
    start = HybridStart.of(image, region, working_pixels=working_pixels, seed=seed)
    for _ in range(3):
        marks = scribbles(rng, image.shape[:2])
        if region is not None and len(np.unique(marks[region & (marks >= 0)])) < 2:
            continue
        how = {"region": region, "working_pixels": working_pixels, "seed": seed}
        cold = hybrid_segmentation(image, scribbles=marks, **how)
        assert_same(segmentation_from(start, scribbles=marks), cold)
    assert_same(
        segmentation_from(start, components=2),
        hybrid_segmentation(
            image, region=region, working_pixels=working_pixels, seed=seed, components=2
        ),
    )


def test_the_slow_part_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    measure = MeasuredImage.of.__func__  # type: ignore[attr-defined]

    def counted(cls: type[MeasuredImage], *arguments: object) -> MeasuredImage:
        measured.append(1)
        return measure(cls, *arguments)  # type: ignore[no-any-return]

    monkeypatch.setattr(MeasuredImage, "of", classmethod(counted))
    picture = (scene() * 255).astype(np.uint8)
    marks = np.full(picture.shape[:2], 255, np.uint8)
    marks[2:4, 2:9], marks[30:33, 40:50] = 0, 1
    warm = WarmStart()
    first = segmint.segment(picture, scribbles=marks, warm=warm)
    marks[20:23, 4:9] = 2
    further = segmint.segment(picture, scribbles=marks, warm=warm)
    assert len(measured) == 1
    assert warm.nbytes > picture.nbytes
    np.testing.assert_array_equal(further.labels, segmint.segment(picture, scribbles=marks).labels)
    assert first.components == 2


@pytest.mark.parametrize("change", ["pixels", "shape", "region", "seed", "working_pixels"])
def test_what_was_kept_of_another_image_is_not_used(change: str) -> None:
    warm = WarmStart()
    picture = (scene() * 255).astype(np.uint8)
    segmint.segment(picture, warm=warm)
    kept = warm.hybrid
    how: dict[str, object] = {}
    if change == "pixels":
        picture = picture.copy()
        picture[5, 5, 0] ^= 128
    elif change == "shape":
        picture = picture[:-1]
    elif change == "region":
        how["region"] = np.arange(picture.shape[0])[:, None] + np.zeros(picture.shape[1]) > 7
    elif change == "seed":
        how["seed"] = 1
    else:
        how["working_pixels"] = 900
    after = segmint.segment(picture, warm=warm, **how)
    assert warm.hybrid is not kept
    np.testing.assert_array_equal(after.labels, segmint.segment(picture, **how).labels)


def test_a_stack_and_other_methods_ignore_it() -> None:
    warm = WarmStart()
    picture = (scene() * 255).astype(np.uint8)
    stack = segmint.Image.from_array(np.stack([picture, picture[::-1]]), stack=True)
    segmint.segment(stack, warm=warm)
    segmint.segment(picture, "kmeans", components=2, warm=warm)
    assert warm.hybrid is None
