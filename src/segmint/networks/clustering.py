"""The network of differentiable feature clustering.

Kim, Kanezaki and Tanaka, "Unsupervised Learning of Image Segmentation Based on Differentiable
Feature Clustering", IEEE Transactions on Image Processing 29 (2020), section III.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.factored import FactoredResponse, moments
from segmint.networks.normalization import Normalization, Statistics


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
            torch.default_generator.manual_seed(seed)
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
        features = self.normalizations[-1](self._last_features(image))
        return cast(Tensor, self.classifier_normalization(self.classifier(features)))

    def respond(self, image: Tensor) -> Tensor | FactoredResponse:
        """The response as :meth:`forward` has it, factored where one map serves all pixels."""
        if self.statistics == "running" or (self.statistics == "image" and len(image) > 1):
            return cast(Tensor, self(image))
        features = self._last_features(image)
        with torch.autocast(image.device.type, enabled=False):
            weight, bias = self._affine(*moments(features))
        return FactoredResponse(features=features, weight=weight, bias=bias)

    def _last_features(self, image: Tensor) -> Tensor:
        """What the last block lets through before its normalization."""
        for index, convolution in enumerate(self.convolutions):
            if index > 0:
                image = self.normalizations[index - 1](image)
            image = functional.relu(convolution(image), inplace=True)
        return image

    def _affine(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (q, p) and bias (q,) that the two last normalizations and the classifier make.

        The first scales features by ``a``. Responses ``W a z`` then have the mean ``W a mean`` and
        the variance ``diag(W a covariance a W^T)``, by which the second normalizes; constants added
        in between cancel.
        """
        last = cast(Normalization, self.normalizations[-1])
        final = self.classifier_normalization
        scale = last.weight * (covariance.diagonal() + last.epsilon).rsqrt()
        weight = self.classifier.weight.flatten(1) * scale
        variance = ((weight @ covariance) * weight).sum(dim=1)
        weight = weight * (final.weight * (variance + final.epsilon).rsqrt())[:, None]
        return weight, final.bias - weight @ mean
