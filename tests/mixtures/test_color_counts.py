from __future__ import annotations

import numpy as np
import pytest

from segmint.mixtures import color_counts
from segmint.mixtures.color_counts import ColorCounts


@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("uint8", 1), ("uint8", 2), ("uint8", 3), ("int8", 3), ("uint16", 1), (">u2", 1), (">i2", 1)],
)
def test_counts_are_those_of_sorting(
    dtype: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(color_counts, "_FULL", 500)  # tables are widened on the way
    kind = np.dtype(dtype)
    low = np.iinfo(kind).min
    pixels = (low + np.random.default_rng(0).integers(0, 6, (2000, channels))).astype(kind)
    counter = ColorCounts(kind, channels)
    for part in np.array_split(pixels, 7):
        counter.add(part)
    colors, counts = counter.result()
    expected, often = np.unique(pixels, axis=0, return_counts=True)
    np.testing.assert_array_equal(colors, expected)
    np.testing.assert_array_equal(counts, often)


def test_what_can_be_counted() -> None:
    for dtype, channels, possible in [
        ("uint8", 3, True),
        ("uint8", 4, False),
        ("int16", 1, True),
        ("uint16", 2, False),
        ("float16", 1, False),
    ]:
        assert ColorCounts.can_count(np.dtype(dtype), channels) == possible
