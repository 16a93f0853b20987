from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segmint.networks.padding import padded

sizes = st.integers(1, 40)


@given(height=sizes, width=sizes, step=st.sampled_from([1, 2, 7, 16, 32]), least=st.integers(0, 50))
def test_smallest_size_that_fits(height: int, width: int, step: int, least: int) -> None:
    image = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0))
    larger, window = padded(image, step, least)
    assert torch.equal(larger[window], image)
    for size, given_size in zip(larger.shape[-2:], (height, width), strict=True):
        fitting = (n for n in range(given_size, 200) if n % step == 0 and n >= least)
        assert size == next(fitting)


def test_border_is_repeated() -> None:
    image = torch.rand(1, 3, 13, 10, generator=torch.Generator().manual_seed(0))
    expected = functional.pad(image, (1, 1, 1, 2), mode="replicate")
    assert torch.equal(padded(image, 4)[0], expected)


def test_channels_last() -> None:
    larger, _ = padded(torch.rand(2, 3, 8, 8), 8)
    assert larger.is_contiguous(memory_format=torch.channels_last)
