"""Pooling that keeps gradients in the order in memory in which networks compute.

The gradient of a mean over the whole map comes planar, though the map was channels-last, and
because it comes first all gradients of other branches are added to it across that order, which
takes fifteen times as long on a CPU.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn


class LayoutPool2d(nn.AdaptiveAvgPool2d):
    """``nn.AdaptiveAvgPool2d`` whose gradient has the order of its map.

    Example:
        >>> pool = LayoutPool2d(1)
        >>> maps = torch.ones(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
        >>> (slope,) = torch.autograd.grad(pool(maps.requires_grad_()).sum(), maps)
        >>> slope.is_contiguous(memory_format=torch.channels_last)
        True
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (its name in nn.AdaptiveAvgPool2d)
        """Means (N, C, h, w) of a map (N, C, H, W)."""
        learns = torch.is_grad_enabled() and input.requires_grad and input.dim() == 4
        if not (learns and input.is_contiguous(memory_format=torch.channels_last)):
            return super().forward(input)
        return super().forward(cast(Tensor, _ChannelsLast.apply(input)))  # type: ignore[no-untyped-call]


def keep_layout(network: nn.Module) -> None:
    """Let the pooling of a network keep its gradients channels-last; its module names stay.

    Args:
        network: changed in place.
    """
    for module in network.modules():
        if type(module) is nn.AdaptiveAvgPool2d:
            module.__class__ = LayoutPool2d


class _ChannelsLast(torch.autograd.Function):
    """The map itself, whose gradient comes channels-last."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        return maps.view_as(maps)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return slope.contiguous(memory_format=torch.channels_last)
