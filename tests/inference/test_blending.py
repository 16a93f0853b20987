from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.inference.blending import tile_shares, tile_starts


@given(length=st.integers(1, 300), tile=st.integers(4, 90), step=st.integers(1, 32))
def test_tiles_reach_everywhere_and_lie_at_multiples(length: int, tile: int, step: int) -> None:
    starts = tile_starts(length, tile, step)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - tile)
    for before, after in itertools.pairwise(starts):
        assert before < after < before + tile
    stride = 3 * tile // 4
    if step <= stride:
        assert all(start % step == 0 for start in starts[:-1])


@given(
    length=st.integers(1, 200),
    tile=st.integers(4, 90),
    step=st.integers(1, 8),
    data=st.data(),
)
def test_a_pixel_is_weighed_alike_in_every_window(
    length: int, tile: int, step: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    whole = np.zeros((len(tile_starts(length, tile, step)), length))
    for share in tile_shares(length, tile, step, 0, length):
        whole[share.number, share.place] = share.weights
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-6)
    part = np.zeros((len(whole), stop - start))
    for share in tile_shares(length, tile, step, start, stop):
        part[share.number, share.place] = share.weights
        assert share.start + share.inside.start == start + share.place.start
    np.testing.assert_allclose(part, whole[:, start:stop], atol=1e-7)


def test_the_nearer_middle_counts_more() -> None:
    first, second = tile_shares(175, 100, 1, 0, 175)
    overlap = np.arange(75, 100)
    nearer_first = np.abs(overlap - 49.5) < np.abs(overlap - 124.5)
    weights = np.zeros((2, 175))
    weights[0, first.place], weights[1, second.place] = first.weights, second.weights
    assert np.array_equal(weights[0, overlap] > weights[1, overlap], nearer_first)
    # Two Gaussians of 100 / 8 pixels, 75 pixels apart.
    log_ratio = ((80 - 124.5) ** 2 - (80 - 49.5) ** 2) / (2 * 12.5**2)
    np.testing.assert_allclose(np.log(weights[0, 80] / weights[1, 80]), log_ratio, rtol=1e-3)
