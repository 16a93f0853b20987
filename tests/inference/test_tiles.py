from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from segmint.images.window import Window
from segmint.inference.tiles import Canvas, pieces
from segmint.networks.padding import padded
from segmint.networks.reach import Reach


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    step=st.integers(1, 16),
    cells=st.integers(0, 4),
    halo=st.integers(0, 2),
    data=st.data(),
)
def test_what_is_seen(
    height: int, width: int, step: int, cells: int, halo: int, data: st.DataObject
) -> None:
    reach = Reach(step=step, least=cells * step, halo=halo * step)
    canvas = Canvas.of((height, width), reach)
    larger, place = padded(torch.zeros(1, 1, height, width), step, reach.least)
    assert (canvas.rows, canvas.columns) == larger.shape[-2:]
    assert (canvas.top, canvas.left) == (place[1].start, place[2].start)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    right = data.draw(st.integers(left + 1, width))
    core = Window(top=top, bottom=bottom, left=left, right=right)
    seen, inner = canvas.seen(core), canvas.place(core)
    for start, stop, length, first, end in (
        (seen.top, seen.bottom, canvas.rows, inner.top, inner.bottom),
        (seen.left, seen.right, canvas.columns, inner.left, inner.right),
    ):
        assert 0 <= start < stop <= length
        assert start % step == stop % step == 0
        assert stop - start >= reach.least
        assert start == 0 or start <= first // step * step - halo * step
        assert stop == length or stop >= -(-end // step) * step + halo * step


def test_everything_is_seen_without_a_halo() -> None:
    canvas = Canvas.of((100, 30), Reach(step=32, least=0, halo=None))
    assert canvas.seen(Window(top=3, bottom=4, left=0, right=2)) == Window.whole(128, 32)


@given(height=st.integers(1, 50), width=st.integers(1, 50), most=st.integers(1, 60))
def test_pieces_cover_a_window_once(height: int, width: int, most: int) -> None:
    counted = np.zeros((height + 5, width + 7), int)
    window = Window(top=5, bottom=height + 5, left=7, right=width + 7)
    for piece in pieces(window, most):
        assert max(piece.size) <= most
        counted[piece.slices] += 1
    assert (counted[window.slices] == 1).all()
    assert counted.sum() == height * width
