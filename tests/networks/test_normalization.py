from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from segmint.networks.normalization import Normalization


def random_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn(channels: int, dtype: torch.dtype) -> Normalization:
    """Weights and biases that are not the neutral ones."""
    module = Normalization(channels).to(dtype)
    with torch.no_grad():
        module.weight.copy_(random_tensor(channels, seed=1) + 2)
        module.bias.copy_(random_tensor(channels, seed=2))
    return module


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(1, 5, 7, 9), (2, 3, 4, 1), (1, 1, 6, 5), (1, 4, 100, 90)])
def test_is_batch_normalization(shape: tuple[int, ...], layout: torch.memory_format) -> None:
    module = drawn(shape[1], torch.float32)
    module.statistics = "batch"
    reference = nn.BatchNorm2d(shape[1]).double()
    reference.load_state_dict({"weight": module.weight, "bias": module.bias}, strict=False)
    features = random_tensor(*shape) * 3 + 1
    upstream = random_tensor(*shape, seed=3)
    expected_input = features.double().requires_grad_()
    expected = reference(expected_input)
    expected.backward(upstream.double())
    found_input = features.contiguous(memory_format=layout).requires_grad_()
    found = module(found_input)
    found.backward(upstream)
    assert found.dtype == torch.float32
    for mine, theirs in [
        (found, expected),
        (found_input.grad, expected_input.grad),
        (module.weight.grad, reference.weight.grad),
        (module.bias.grad, reference.bias.grad),
    ]:
        scale = float(theirs.detach().abs().max())
        torch.testing.assert_close(mine.double(), theirs, rtol=1e-4, atol=1e-5 * scale)


def test_gradient_by_differences() -> None:
    module = drawn(2, torch.float64)
    features = random_tensor(1, 2, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(module, (features,))


def test_large_offset_keeps_precision() -> None:
    features = random_tensor(1, 2, 64, 64) + 1000
    expected = (features.double() - features.double().mean(dim=(2, 3), keepdim=True)) / (
        features.double().var(dim=(2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    torch.testing.assert_close(Normalization(2)(features).double(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("statistics", ["image", "batch", "running"])
def test_one_pixel_is_finite(statistics: str) -> None:
    module = Normalization(3)
    module.statistics = statistics
    features = random_tensor(1, 3, 1, 1).requires_grad_()
    found = module(features)
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert torch.isfinite(features.grad).all()
