"""The precision that objectives are computed in."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor


def widened(response: Tensor) -> Tensor:
    """The response in float32, or in float64 if it is that already.

    Example:
        >>> widened(torch.ones(1, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return response.to(torch.promote_types(response.dtype, torch.float32))


def full_precision(response: Tensor) -> AbstractContextManager[object]:
    """Context in which nothing on the response's device is rounded to half precision."""
    return torch.autocast(response.device.type, enabled=False)


def sum_type(device: torch.device) -> torch.dtype:
    """The type that long sums are added up in: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def nothing(response: Tensor) -> Tensor:
    """Exactly 0 with a gradient of exactly 0, whatever the response holds."""
    return widened(response[:0]).sum()
