"""A response that is an affine map of features and need not be written out.

The end of a clustering network, normalization, 1x1 convolution, normalization, is affine in each
pixel: its statistics follow from the mean and covariance of the features. So the response of 100
channels, its normalized input and the gradients of both never have to exist at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

CHUNK_PIXELS = 8192
"""Pixels that are looked at together, so that they stay in the processor's cache."""
BLOCK_ROWS = 128
"""Pixels whose squares are added up before the sum of all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FactoredResponse:
    """The response ``weight @ features + bias`` of every pixel."""

    features: Tensor
    """(N, P, H, W), channels-last."""
    weight: Tensor
    """(K, P) float32."""
    bias: Tensor
    """(K,) float32."""

    def dense(self) -> Tensor:
        """The response written out, (N, K, H, W) float32, without gradient."""
        rows = pixel_rows(self.features)
        weight = self.weight.detach().to(rows.dtype)
        dense = torch.empty(len(rows), len(weight), device=rows.device)
        for part, chunk in zip(chunks(dense), chunks(rows), strict=True):
            part.copy_(chunk @ weight.T).add_(self.bias.detach())
        images, _, height, width = self.features.shape
        return dense.reshape(images, height, width, -1).permute(0, 3, 1, 2)

    def expanded(self) -> Tensor:
        """The response written out, (N, K, H, W) float32, differentiable in all three."""
        response = torch.einsum("nphw,kp->nkhw", self.features.float(), self.weight)
        return response + self.bias[:, None, None]


def pixel_rows(features: Tensor) -> Tensor:
    """Features (N, P, H, W) as one row a pixel, (N * H * W, P), detached."""
    return features.detach().permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def chunks(rows: Tensor) -> Iterator[Tensor]:
    """The rows, as many at a time as stay in cache."""
    return iter(torch.split(rows, CHUNK_PIXELS))


def column_sums(rows: Tensor) -> Tensor:
    """Sums (P,) float32 over rows (N, P); as a product, which is quicker than a sum in bfloat16."""
    return (rows.new_ones(1, len(rows)) @ rows)[0].float()


def _products(rows: Tensor) -> Tensor:
    """``rows^T rows``; in float32 in blocks, for one long sum of squares drifts by 1e-5."""
    if rows.dtype != torch.float32:
        return rows.T @ rows
    whole = len(rows) // BLOCK_ROWS * BLOCK_ROWS
    blocks = rows[:whole].reshape(-1, BLOCK_ROWS, rows.shape[1])
    rest = rows[whole:]
    return torch.bmm(blocks.transpose(1, 2), blocks).sum(dim=0) + rest.T @ rest


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (P,) and covariance (P, P) of the pixels of (N, P, H, W), float32, differentiable."""
    return cast(tuple[Tensor, Tensor], _Moments.apply(features))  # type: ignore[no-untyped-call]


class _Moments(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor) -> tuple[Tensor, Tensor]:
        rows = pixel_rows(features)
        # Deviations from a mean that is nearly right keep the squares from canceling.
        shift = rows[:CHUNK_PIXELS].float().mean(dim=0).to(rows.dtype)
        total = torch.zeros(len(shift), device=rows.device)
        products = torch.zeros(len(shift), len(shift), device=rows.device)
        for chunk in chunks(rows):
            deviations = chunk - shift
            total += column_sums(deviations)
            products += _products(deviations)
        offset = total / len(rows)
        mean = shift.float() + offset
        ctx.save_for_backward(features, mean)
        return mean, products / len(rows) - torch.outer(offset, offset)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Tensor:
        features, mean = ctx.saved_tensors
        images, channels, height, width = features.shape
        rows = pixel_rows(features)
        slope = (upstream[1] + upstream[1].T) / len(rows)
        constant = upstream[0] / len(rows) - mean @ slope
        gradient = torch.addmm(constant.to(rows.dtype), rows, slope.to(rows.dtype))
        return gradient.reshape(images, height, width, channels).permute(0, 3, 1, 2)
