"""The U-Net of the deep Gaussian mixtures.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation"
(2024); the shape is that of Ronneberger, Fischer and Brox (2015).
"""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.levels import descend, rise, widths
from segmint.networks.normalization import Normalization
from segmint.networks.padding import padded
from segmint.networks.repetition import convolve_repeated

NEGATIVE_SLOPE = 0.01


class DeepGUNet(nn.Module):
    """Blocks of two 3x3 convolutions on the way down and up again, with links across.

    A block is convolution, leaky ReLU, convolution without bias, instance normalization and leaky
    ReLU. Each level down halves the image by max pooling and doubles the features; each level up
    doubles the image by repeating pixels.

    Args:
        in_channels: channels C of the image.
        classes: channels K of the logits.
        features: of the first block.
        levels: how often the image is halved.
        deep_supervision: keep the published further heads, for :meth:`all_logits`.
        seed: of the initial weights.

    Example:
        >>> network = DeepGUNet(in_channels=3, classes=4, deep_supervision=True)
        >>> sum(p.numel() for p in network.parameters())
        7241364
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 4,
        features: int = 32,
        levels: int = 4,
        deep_supervision: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        sizes = widths(features, levels)
        self._configuration = {
            "in_channels": in_channels,
            "classes": classes,
            "features": features,
            "levels": levels,
            "deep_supervision": deep_supervision,
        }
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            inputs = [in_channels, *sizes]
            self.down = nn.ModuleList(
                _Block(inputs[level], width) for level, width in enumerate(sizes)
            )
            rising = sizes[-2::-1]
            self.links = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in rising)
            self.up = nn.ModuleList(_Block(2 * width, width) for width in rising)
            self.head = nn.Conv2d(features, classes, 1)
            self.further_heads = nn.ModuleList(
                nn.Conv2d(width, classes, 1) for width in (rising if deep_supervision else ())
            )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def configuration(self) -> dict[str, int]:
        """Arguments that build the same network again, weights apart."""
        return dict(self._configuration)

    @property
    def step(self) -> int:
        """Height and width are padded to multiples of it."""
        return 1 << len(self.links)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size."""
        image, window = padded(image, self.step)
        return cast(Tensor, self.head(self._risen(image)[-1]))[window]

    def all_logits(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits of every further head, coarse to fine, of the image padded to whole levels."""
        risen = self._risen(padded(image, self.step)[0])
        return tuple(head(x) for head, x in zip(self.further_heads, risen, strict=False))

    def _risen(self, image: Tensor) -> list[Tensor]:
        """Features after each block on the way up, coarse to fine."""
        steps = (partial(_rise, *pair) for pair in zip(self.links, self.up, strict=True))
        return rise(steps, descend(self.down, image))


class _Block(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.normalization = Normalization(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        return self._after_first(cast(Tensor, self.first(features)))

    def join(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """What :meth:`forward` makes of coarse features, each pixel repeated, and fine ones."""
        weight, channels = self.first.weight, coarse.shape[1]
        of_coarse = convolve_repeated(coarse, weight[:, :channels])
        of_fine = functional.conv2d(fine, weight[:, channels:], self.first.bias, padding=1)
        return self._after_first(of_coarse.add_(of_fine))

    def _after_first(self, features: Tensor) -> Tensor:
        features = functional.leaky_relu(features, NEGATIVE_SLOPE, inplace=True)
        features = self.normalization(self.second(features))
        return functional.leaky_relu(features, NEGATIVE_SLOPE, inplace=True)


def _rise(link: nn.Module, block: nn.Module, coarse: Tensor, fine: Tensor) -> Tensor:
    # Repeating pixels and a 1x1 convolution commute, and this order is four times cheaper.
    return cast(_Block, block).join(link(coarse), fine)
