from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

from segmint.inference.resampling import between_centers, smoothed

LENGTHS = st.integers(1, 200)


def interpolated(line: NDArray[Any], new: int, **options: Any) -> NDArray[Any]:
    planes = torch.from_numpy(line)[None, None, None]
    found = functional.interpolate(planes, (1, new), mode="bilinear", **options)
    return found[0, 0, 0].numpy()  # type: ignore[no-any-return]


@given(old=LENGTHS, new=LENGTHS, kind=st.sampled_from([np.uint8, np.float32, np.float64]))
def test_smoothed_is_what_torch_computes(old: int, new: int, kind: type) -> None:
    values = np.random.default_rng(old).random(old)
    line = (255 * values).astype(kind) if kind == np.uint8 else values.astype(kind)
    if old == new:
        return
    found = smoothed(old, new, np.dtype(kind))(line, 0)
    tolerance = {np.uint8: 0, np.float32: 1e-6, np.float64: 1e-12}[kind]
    assert found.dtype == kind
    np.testing.assert_allclose(
        found.astype(float), interpolated(line, new, antialias=True).astype(float), atol=tolerance
    )


@given(old=LENGTHS, new=LENGTHS)
def test_between_centers_is_what_torch_computes(old: int, new: int) -> None:
    line = np.random.default_rng(old).random(old).astype(np.float32)
    found = between_centers(old, new)(line, 0)
    # Torch may round a place once less.
    np.testing.assert_allclose(found, interpolated(line, new, align_corners=False), atol=2e-5)


def test_long_lines_are_placed_as_torch_places_them() -> None:
    line = np.random.default_rng(0).random(20_000).astype(np.float32)
    for found, expected in (
        (smoothed(20_000, 7001, line.dtype), interpolated(line, 7001, antialias=True)),
        (between_centers(20_000, 31_007), interpolated(line, 31_007, align_corners=False)),
    ):
        np.testing.assert_allclose(found(line, 0), expected, atol=1e-3)


@given(old=st.integers(1, 60), new=st.integers(1, 60), data=st.data())
@pytest.mark.parametrize("kind", ["uint8", "float32", "between"])
def test_a_part_needs_only_its_own_pixels(
    kind: str, old: int, new: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, new - 1))
    stop = data.draw(st.integers(start + 1, new))
    whole = between_centers(old, new) if kind == "between" else smoothed(old, new, np.dtype(kind))
    dtype = np.uint8 if kind == "uint8" else np.float32
    line = np.random.default_rng(0).integers(0, 256, (3, old)).astype(dtype)
    first, end = whole.needed(start, stop)
    assert 0 <= first < end <= old
    found = whole.part(start, stop)(line[:, first:end], 1)
    np.testing.assert_array_equal(found, whole(line, 1)[:, start:stop])
