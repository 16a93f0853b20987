"""Per-channel normalization that is the same in training and prediction."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Statistics = Literal["image", "batch", "running"]

CHUNK_PIXELS = 8192
"""Pixels whose deviations are squared at a time, so that they stay in the processor's cache."""


class Normalization(nn.Module):
    """Per-channel normalization whose statistics do not depend on train or eval mode.

    Args:
        channels: number of channels.
        epsilon: added to the variance.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, channels: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))
        self.epsilon = epsilon
        self.statistics: Statistics = "image"

    def forward(self, features: Tensor) -> Tensor:
        """Normalized features (N, C, H, W), same shape and type."""
        if self.statistics == "running":
            stored = (self.running_mean, self.running_variance, self.weight, self.bias)
            return functional.batch_norm(features, *stored, False, 0.0, self.epsilon)
        if self.statistics == "batch" or len(features) == 1:
            return self._normalize(features)
        return torch.cat([self._normalize(image) for image in torch.split(features, 1)])

    def _normalize(self, features: Tensor) -> Tensor:
        if features.device.type == "cpu" and features.dtype == torch.float32:
            normalized = _Normalize.apply(features, self.weight, self.bias, self.epsilon)  # type: ignore[no-untyped-call]
            return cast(Tensor, normalized)
        # functional.batch_norm refuses a single pixel, whose deviation of 0 leaves the bias.
        cudnn = torch.backends.cudnn.enabled
        return torch.batch_norm(
            features, self.weight, self.bias, None, None, True, 0.0, self.epsilon, cudnn
        )


class _Normalize(torch.autograd.Function):
    """Batch normalization with statistics to float32's full precision.

    The library's own kernel for channels-last float32 adds up naively: over 150,000 pixels its
    standard deviations are off by 2e-4, and gradients through two blocks by 1e-3.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
        mean, variance = _statistics(features)
        ctx.save_for_backward(features, weight, mean, (variance + epsilon).rsqrt())
        ctx.epsilon = epsilon
        return torch.native_batch_norm(features, weight, bias, mean, variance, False, 0.0, epsilon)[
            0
        ]

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, mean, inverse_deviation = ctx.saved_tensors
        gradients = torch.ops.aten.native_batch_norm_backward(
            upstream[0],
            features,
            weight,
            None,
            None,
            mean,
            inverse_deviation,
            True,
            ctx.epsilon,
            list(ctx.needs_input_grad[:3]),
        )
        return (*gradients, None)


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) over images and pixels."""
    rows = features.detach().permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    mean = rows.mean(dim=0)
    squares = torch.zeros_like(mean, dtype=torch.float64)
    for chunk in torch.split(rows, CHUNK_PIXELS):
        squares += (chunk - mean).square_().sum(dim=0)
    return mean, (squares / len(rows)).to(mean.dtype)
