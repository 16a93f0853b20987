from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segmint.mixtures import distinct, distinct_samples

NATIVE = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint64, np.bool_)
FOREIGN = (">u2", ">i2", ">i4", ">u8", "<u2", "<i4")
TYPES = tuple(map(np.dtype, NATIVE + FOREIGN))


@given(st.data(), st.sampled_from(TYPES), st.integers(1, 60), st.integers(1, 5), st.booleans())
def test_equals_unique(
    data: st.DataObject, dtype: np.dtype[Any], count: int, channels: int, tables: bool
) -> None:
    pixels = data.draw(arrays.arrays(dtype, (count, channels)))
    with pytest.MonkeyPatch.context() as patch:
        if tables and channels <= 2:
            patch.setattr(distinct, "ROWS", 7)
        samples, counts, inverse = distinct_samples(pixels)
        only_samples, only_counts = distinct_samples(pixels, inverse=False)
    expected, indices, repeats = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    assert samples.dtype == pixels.dtype.newbyteorder("=")
    assert samples.dtype.isnative
    assert inverse.dtype == np.int32
    np.testing.assert_array_equal(samples, expected)
    np.testing.assert_array_equal(counts, repeats)
    np.testing.assert_array_equal(inverse, indices.reshape(-1))
    np.testing.assert_array_equal(only_samples, samples)
    np.testing.assert_array_equal(only_counts, counts)


def test_the_large_table_equals_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70_000, 3), np.uint8) // 16
    expected = distinct_samples(pixels)
    monkeypatch.setattr(distinct, "MANY", 1)
    for found, wanted in zip(distinct_samples(pixels), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_one_channel_without_axis_and_tensors() -> None:
    samples, counts, inverse = distinct_samples(torch.tensor([5, 3, 5], dtype=torch.uint8))
    assert (samples.tolist(), counts.tolist(), inverse.tolist()) == ([[3], [5]], [1, 2], [1, 0, 1])
