"""Rows of a response on demand, and a place for their gradient."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from segmint.networks.factored import column_sums
from segmint.objectives.precision import widened


class ResponseRows(Protocol):
    """A response that a pass reads a few rows at a time."""

    shape: tuple[int, int, int, int]
    """(N, H, W, K)."""
    device: torch.device

    def rows(self, image: int, start: int, stop: int) -> Tensor:
        """(rows, W, K) float32, or float64."""
        ...

    def add(self, image: int, start: int, slope: Tensor) -> None:
        """Take the gradient (rows, W, K) of rows."""
        ...

    def gradients(self) -> list[Tensor]:
        """Of each tensor that the response was made of."""
        ...


class DenseRows:
    """Rows of a response that is written out, and its gradient."""

    def __init__(self, logits: Tensor) -> None:
        self._response = logits.detach().permute(0, 2, 3, 1).contiguous()
        # What float16 would lose, a loss scale that comes later can still save.
        half = logits.dtype == torch.float16
        self._gradient = torch.empty_like(
            self._response, dtype=torch.float32 if half else logits.dtype
        )
        images, height, width, components = self._response.shape
        self.shape = (images, height, width, components)
        self.device = logits.device

    def rows(self, image: int, start: int, stop: int) -> Tensor:
        """(rows, W, K) float32, or float64."""
        return widened(self._response[image, start:stop])

    def add(self, image: int, start: int, slope: Tensor) -> None:
        """Take the gradient (rows, W, K) of rows."""
        self._gradient[image, start : start + len(slope)] = slope

    def gradients(self) -> list[Tensor]:
        """Of the response."""
        return [self._gradient.permute(0, 3, 1, 2)]


class FactoredRows:
    """Rows of a response that is an affine map of features, and the gradients of all three."""

    def __init__(self, features: Tensor, weight: Tensor, bias: Tensor) -> None:
        self._features = features.detach().permute(0, 2, 3, 1).contiguous()
        self._weight, self._bias = weight.detach().to(features.dtype), bias.detach()
        self._features_gradient = torch.empty_like(self._features)
        self._weight_gradient = torch.zeros_like(weight)
        self._bias_gradient = torch.zeros_like(bias)
        images, height, width, _ = self._features.shape
        self.shape = (images, height, width, len(weight))
        self.device = features.device

    def rows(self, image: int, start: int, stop: int) -> Tensor:
        """(rows, W, K) float32."""
        features = self._features[image, start:stop]
        return (features @ self._weight.T).float().add_(self._bias)

    def add(self, image: int, start: int, slope: Tensor) -> None:
        """Take the gradient (rows, W, K) of rows."""
        flat = slope.flatten(0, 1).to(self._features.dtype)
        self._bias_gradient += column_sums(flat)
        at = (image, slice(start, start + len(slope)))
        self._weight_gradient += flat.T @ self._features[at].flatten(0, 1)
        self._features_gradient[at] = (flat @ self._weight).view_as(self._features[at])

    def gradients(self) -> list[Tensor]:
        """Of features, weight and bias."""
        features = self._features_gradient.permute(0, 3, 1, 2)
        return [features, self._weight_gradient, self._bias_gradient]
