from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat
from skimage.morphology import thin

from segmint.metrics.boundary_pixels import block_boundaries, boundary_pixels, touching_blocks

SEGMENTS = hnp.arrays(
    np.int32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.integers(0, 3),
)


@given(SEGMENTS)
def test_blocks_against_looking_at_each(segments: np.ndarray) -> None:
    boundaries = block_boundaries(segments)
    for row, column in np.ndindex(segments.shape):
        block = segments[row : row + 2, column : column + 2]
        assert boundaries[row, column] == (np.unique(block).size > 1)
    np.testing.assert_array_equal(boundary_pixels(segments), thin(boundaries))


@given(hnp.arrays(bool, (5, 6)))
def test_blocks_that_touch_pixels(pixels: np.ndarray) -> None:
    touching = touching_blocks(pixels)
    for row, column in np.ndindex(pixels.shape):
        assert touching[row, column] == pixels[row : row + 2, column : column + 2].any()


@given(SEGMENTS)
def test_numbers_do_not_matter(segments: np.ndarray) -> None:
    np.testing.assert_array_equal(boundary_pixels(segments), boundary_pixels(9 - 2 * segments))


@pytest.mark.shared_data
def test_they_are_those_that_bsds500_stores(shared_data: Path) -> None:
    files = sorted((shared_data / "BSDS500/data/groundTruth/test").glob("*.mat"))[:4]
    annotations = [each for file in files for each in loadmat(file)["groundTruth"][0]]
    assert len(annotations) >= 4
    for annotation in annotations:
        stored = annotation["Boundaries"][0, 0].astype(bool)
        segments = annotation["Segmentation"][0, 0].astype(np.int32)
        np.testing.assert_array_equal(boundary_pixels(segments), stored)
