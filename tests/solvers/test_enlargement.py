from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from segmint.solvers import enlargement
from segmint.solvers.enlargement import Enlarged, Snapped, labels_of, probabilities_of


def random_response(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def whole(response: enlargement.FullResponse) -> Tensor:
    """All blocks below one another, after a look at whether their rows are right."""
    rows, blocks = zip(*response.blocks(), strict=True)
    assert [place for part in rows for place in range(part.start, part.stop)] == list(
        range(response.shape[1])
    )
    return torch.cat(blocks, dim=1)


@given(
    small=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)),
    more=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    block=st.sampled_from([1, 40, 10_000]),
)
def test_blocks_are_the_interpolation_of_the_whole(
    small: tuple[int, int, int], more: tuple[int, int], block: int
) -> None:
    response = random_response(*small)
    size = (small[1] + more[0], small[2] + more[1])
    expected = functional.interpolate(response[None], size=size, mode="bilinear")[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enlargement, "BLOCK_ELEMENTS", block)
        enlarged = Enlarged(response, size)
        assert enlarged.shape == expected.shape
        torch.testing.assert_close(whole(enlarged), expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(labels_of(enlarged), expected.argmax(dim=0).numpy())


@pytest.mark.parametrize("block", [1, 100, 10_000])
def test_superpixels_take_their_mean(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(enlargement, "BLOCK_ELEMENTS", block)
    response = random_response(3, 8, 9)
    superpixels = np.arange(72).reshape(8, 9) // 20 * 2
    snapped = Snapped(Enlarged(response, (8, 9)), superpixels)
    expected = torch.empty_like(response)
    for superpixel in np.unique(superpixels):
        inside = torch.from_numpy(superpixels == superpixel)
        expected[:, inside] = response[:, inside].mean(dim=1, keepdim=True)
    torch.testing.assert_close(whole(snapped), expected)
    np.testing.assert_array_equal(labels_of(snapped), expected.argmax(dim=0).numpy())


def test_probabilities_of_channels() -> None:
    response = Enlarged(random_response(4, 5, 6), (5, 6))
    found = probabilities_of(response, np.arange(4, dtype=np.int32))
    expected = random_response(4, 5, 6).softmax(dim=0).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype == np.float32


def test_probabilities_of_joined_channels() -> None:
    response = random_response(4, 5, 6)
    shares = response[[0, 1, 3]].softmax(dim=0).numpy()
    found = probabilities_of(Enlarged(response, (5, 6)), np.array([1, 0, -1, 1], np.int32))
    np.testing.assert_allclose(found, np.stack([shares[1], shares[0] + shares[2]]), rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=1e-5)
