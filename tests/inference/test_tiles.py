from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from segmint.images.window import Window
from segmint.inference.tiles import Canvas, pieces
from segmint.networks.padding import padded
from segmint.networks.reach import Reach

sides = st.integers(1, 120)


@st.composite
def windows(draw: st.DrawFn, height: int, width: int) -> Window:
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    return Window(top=top, bottom=bottom, left=left, right=right)


@st.composite
def reaches(draw: st.DrawFn) -> Reach:
    step = draw(st.sampled_from([1, 2, 7, 16]))
    halo = draw(st.one_of(st.none(), st.integers(0, 3).map(lambda cells: cells * step)))
    return Reach(step=step, least=draw(st.integers(0, 60)), halo=halo)


@given(data=st.data(), height=sides, width=sides, reach=reaches())
def test_what_is_seen(data: st.DataObject, height: int, width: int, reach: Reach) -> None:
    canvas = Canvas.of((height, width), reach)
    image = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(0))
    larger, inside = padded(image, reach.step, reach.least)
    assert larger.shape[-2:] == (canvas.rows, canvas.columns)
    window = data.draw(windows(height, width))
    place, seen = canvas.place(window), canvas.seen(window)
    assert torch.equal(larger[..., *place.slices], larger[inside][..., *window.slices])

    needed = np.zeros((canvas.rows, canvas.columns), bool)
    for row in range(place.top // reach.step, -(-place.bottom // reach.step)):
        for column in range(place.left // reach.step, -(-place.right // reach.step)):
            cell = Window(
                top=row * reach.step,
                bottom=(row + 1) * reach.step,
                left=column * reach.step,
                right=(column + 1) * reach.step,
            )
            looked_at = cell.grown(
                canvas.rows + canvas.columns if reach.halo is None else reach.halo
            )
            needed[looked_at.within(canvas.rows, canvas.columns).slices] = True
    needed[seen.slices] = False
    assert not needed.any()
    assert seen.within(canvas.rows, canvas.columns) == seen
    assert all(side % reach.step == 0 and side >= reach.least for side in seen.size)
    assert seen.top % reach.step == seen.left % reach.step == 0


@given(data=st.data(), height=sides, width=sides, most=st.integers(1, 130))
def test_pieces_cover_once(data: st.DataObject, height: int, width: int, most: int) -> None:
    window = data.draw(windows(height, width))
    count = np.zeros((height, width), int)
    found = list(pieces(window, most))
    for piece in found:
        count[piece.slices] += 1
        assert 1 <= min(piece.size) <= max(piece.size) <= most
    expected = np.zeros((height, width), int)
    expected[window.slices] = 1
    np.testing.assert_array_equal(count, expected)
    assert len(found) == np.prod([-(-side // most) for side in window.size])
    for sizes in zip(*(piece.size for piece in found), strict=True):
        assert max(sizes) - min(sizes) <= 1
