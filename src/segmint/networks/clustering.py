"""The network of differentiable feature clustering.

Kim, Kanezaki and Tanaka, "Unsupervised Learning of Image Segmentation Based on Differentiable
Feature Clustering", IEEE Transactions on Image Processing 29 (2020), section III.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Statistics = Literal["image", "batch", "running"]


class ClusteringNetwork(nn.Module):
    """Blocks of 3x3 convolution, ReLU and normalization, then a 1x1 convolution, normalized.

    The last normalization keeps components alive: without it the argmax collapses onto few
    channels, because the objective alone rewards a single component.

    Args:
        in_channels: channels C of the image.
        classes: components q, the channels of the response.
        features: channels p between the blocks.
        blocks: number M of convolution blocks.
        statistics: what normalization is measured on: ``image`` (each image by itself),
            ``batch`` (all images of the batch) or ``running`` (stored statistics). The same
            setting holds in training and prediction; ``train()`` and ``eval()`` change nothing.
        seed: of the initial weights.

    Example:
        >>> network = ClusteringNetwork(in_channels=3, classes=100)
        >>> sum(p.numel() for p in network.parameters())
        103600
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 100,
        features: int = 100,
        blocks: int = 2,
        statistics: Statistics = "image",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._size = {
            "in_channels": in_channels,
            "classes": classes,
            "features": features,
            "blocks": blocks,
        }
        with torch.random.fork_rng(devices=[]):
            torch.random.manual_seed(seed)
            inputs = [in_channels] + [features] * (blocks - 1)
            self.convolutions = nn.ModuleList(
                nn.Conv2d(channels, features, kernel_size=3, padding=1) for channels in inputs
            )
            self.normalizations = nn.ModuleList(Normalization(features) for _ in inputs)
            self.classifier = nn.Conv2d(features, classes, kernel_size=1)
            self.classifier_normalization = Normalization(classes)
        self.statistics = statistics
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def configuration(self) -> dict[str, int | str]:
        """Arguments that build the same network again, weights apart."""
        return {**self._size, "statistics": self.statistics}

    @property
    def statistics(self) -> Statistics:
        """What normalization is measured on."""
        return self.classifier_normalization.statistics

    @statistics.setter
    def statistics(self, value: Statistics) -> None:
        for module in self.modules():
            if isinstance(module, Normalization):
                module.statistics = value

    def forward(self, image: Tensor) -> Tensor:
        """Response (N, q, H, W) of images (N, C, H, W)."""
        for convolution, normalization in zip(self.convolutions, self.normalizations, strict=True):
            image = normalization(functional.relu(convolution(image), inplace=True))
        return cast(Tensor, self.classifier_normalization(self.classifier(image)))


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
        """Normalized features, same shape and type."""
        if self.statistics == "running":
            return self._normalize(features, self.running_mean, self.running_variance)
        if self.statistics == "batch" or len(features) == 1:
            return self._normalize(features)
        return torch.cat([self._normalize(image) for image in torch.split(features, 1)])

    def _normalize(
        self, features: Tensor, mean: Tensor | None = None, variance: Tensor | None = None
    ) -> Tensor:
        return functional.batch_norm(
            features, mean, variance, self.weight, self.bias, mean is None, 0.0, self.epsilon
        )
