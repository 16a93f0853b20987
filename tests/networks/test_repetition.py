from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from segmint.networks import repetition
from segmint.networks.repetition import convolve_repeated


def random_tensor(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("fewest", [1, 10**6], ids=["folded", "repeated"])
@pytest.mark.parametrize(("size", "sides"), [(2, (0, 1, 0, 1)), (3, (1, 1, 1, 1))])
@pytest.mark.parametrize("shape", [(2, 3, 6, 5), (1, 3, 1, 1), (1, 3, 1, 4)])
def test_value_and_gradient(
    monkeypatch: pytest.MonkeyPatch,
    fewest: int,
    size: int,
    sides: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    monkeypatch.setattr(repetition, "_PIXELS_TO_FOLD", fewest)
    coarse = random_tensor(*shape, seed=0).requires_grad_()
    weight = random_tensor(4, 3, size, size, seed=1).requires_grad_()
    bias = random_tensor(4, seed=2).requires_grad_()
    repeated = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = functional.conv2d(functional.pad(repeated, sides), weight, bias)
    found = convolve_repeated(coarse, weight, bias)
    torch.testing.assert_close(found, expected)
    upstream, inputs = random_tensor(*expected.shape, seed=3), (coarse, weight, bias)
    torch.testing.assert_close(
        torch.autograd.grad((found * upstream).sum(), inputs),
        torch.autograd.grad((expected * upstream).sum(), inputs),
    )
