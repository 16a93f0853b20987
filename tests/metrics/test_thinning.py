from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.morphology import thin as reference

from segmint.metrics.thinning import thin


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=10)))
def test_against_scikit_image(lines: np.ndarray) -> None:
    np.testing.assert_array_equal(thin(lines), reference(lines))


@given(st.integers(0, 1000), st.floats(0.5, 4), st.floats(0.3, 0.8))
def test_thick_shapes(seed: int, smoothness: float, share: float) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((40, 50)), smoothness)
    lines = noise < np.quantile(noise, share)
    np.testing.assert_array_equal(thin(lines), reference(lines))


@given(hnp.arrays(bool, (9, 9)))
def test_pieces_stay_and_thin_lines_stay_as_they_are(lines: np.ndarray) -> None:
    once = thin(lines)
    assert not (once & ~lines).any()
    eight = np.ones((3, 3))
    assert ndimage.label(once, eight)[1] == ndimage.label(lines, eight)[1]
    np.testing.assert_array_equal(thin(once), once)
