"""The precision that objectives are computed in."""

from __future__ import annotations

import torch
from torch import Tensor


def widened(response: Tensor) -> Tensor:
    """The response in float32, or in float64 if it is that already.

    Example:
        >>> widened(torch.ones(1, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return response.to(torch.promote_types(response.dtype, torch.float32))
