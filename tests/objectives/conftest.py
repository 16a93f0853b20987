from __future__ import annotations

import pytest
import torch
from torch import Tensor


@pytest.fixture
def published_response() -> Tensor:
    """The response that the reference values of the published code were computed on."""
    k = torch.arange(6.0)[:, None, None]
    y = torch.arange(20.0)[None, :, None]
    x = torch.arange(30.0)[None, None, :]
    return (torch.sin(0.3 * y * (k + 1)) + torch.cos(0.2 * x * (k + 2) / 3 + k))[None]


@pytest.fixture
def published_mixture() -> tuple[Tensor, Tensor, Tensor]:
    """Logits, image and region that the mixtures' reference values were computed on."""
    b = torch.arange(2.0)[:, None, None, None]
    k = torch.arange(4.0)[None, :, None, None]
    m = torch.arange(3.0)[None, :, None, None]
    y = torch.arange(24.0)[None, None, :, None]
    x = torch.arange(20.0)[None, None, None, :]
    logits = torch.sin(0.4 * y + 0.9 * k) + torch.cos(0.3 * x * (k + 1) / 2 + b)
    image = torch.sin(0.5 * y + m) + 0.5 * torch.cos(0.37 * x - 0.8 * m) + 0.2 * b
    region = ((y - 12) ** 2 + (x - 10) ** 2 < 81)[:, 0].expand(2, -1, -1)
    return logits, image, region
