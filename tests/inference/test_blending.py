from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segmint.inference.blending import tile_shares, tile_starts

cells = st.integers(2, 12)


@given(length=st.integers(1, 60), tile=cells, step=st.sampled_from([1, 4, 16, 32]))
def test_tiles_cover_the_axis_and_overlap(length: int, tile: int, step: int) -> None:
    length, tile = length * step, tile * step
    starts = tile_starts(length, tile, step)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] == max(0, length - tile)
    # A tile of one or two cells has no cell to share.
    shared = tile // 4 if tile >= 4 * step else 0
    assert all(later - earlier <= tile - shared for earlier, later in zip(starts, starts[1:]))
    if tile > step:
        assert all(start % step == 0 for start in starts)


@given(data=st.data(), length=st.integers(1, 60), tile=cells, step=st.sampled_from([1, 4, 16]))
def test_weights_are_bells_that_sum_to_one(
    data: st.DataObject, length: int, tile: int, step: int
) -> None:
    length, tile = length * step, tile * step
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    size = min(tile, length)
    total, bells = np.zeros(length), []
    for first in tile_starts(length, tile, step):
        bell = np.zeros(length)
        places = np.arange(size)
        bell[first : first + size] = np.exp(-(((places - (size - 1) / 2) / (size / 8)) ** 2) / 2)
        bells.append(bell)
        total += bell
    found = np.zeros(stop - start)
    for share in tile_shares(length, tile, step, start, stop):
        found[share.place] += share.weights
        place = np.arange(start, stop)[share.place]
        np.testing.assert_array_equal(place, share.start + np.arange(size)[share.inside])
        np.testing.assert_allclose(share.weights, (bells[share.number] / total)[place], rtol=1e-5)
    np.testing.assert_allclose(found, 1, rtol=1e-6)
