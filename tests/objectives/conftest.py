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
