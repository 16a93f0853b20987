"""The U-Net of the deep Gaussian mixtures.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation"
(2024); the shape is that of Ronneberger, Fischer and Brox (2015).
"""

from __future__ import annotations

from types import EllipsisType
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.normalization import Normalization

NEGATIVE_SLOPE = 0.01
MOST_LEVELS, MOST_FEATURES = 8, 512

_PIXELS_TO_FOLD = 1000
"""Coarse pixels from which on folding costs less than the larger kernel takes to prepare."""


class UNet(nn.Module):
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
        >>> network = UNet(in_channels=3, classes=4, deep_supervision=True)
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
        if not (1 <= levels <= MOST_LEVELS and 1 <= features <= MOST_FEATURES):
            raise ValueError(
                f"levels {levels} and features {features}: 1 to {MOST_LEVELS}, 1 to {MOST_FEATURES}"
            )
        self._configuration = {
            "in_channels": in_channels,
            "classes": classes,
            "features": features,
            "levels": levels,
            "deep_supervision": deep_supervision,
        }
        widths = [features * 2**level for level in range(levels + 1)]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            inputs = [in_channels, *widths]
            self.down = nn.ModuleList(
                _Block(inputs[level], width) for level, width in enumerate(widths)
            )
            rising = widths[-2::-1]
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

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size."""
        padded, window = self._padded(image)
        return cast(Tensor, self.head(self._risen(padded)[-1]))[window]

    def all_logits(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits of every further head, coarse to fine, of the image padded to whole levels."""
        risen = self._risen(self._padded(image)[0])
        return tuple(head(x) for head, x in zip(self.further_heads, risen, strict=False))

    def _risen(self, features: Tensor) -> list[Tensor]:
        """Features after each block on the way up, coarse to fine."""
        across = []
        for level, block in enumerate(self.down):
            if level > 0:
                features = functional.max_pool2d(features, 2)
            features = block(features)
            across.append(features)
        risen = []
        features = across.pop()
        for link, block in zip(self.links, self.up, strict=True):
            # Repeating pixels and a 1x1 convolution commute, and this order is four times cheaper.
            features = cast(_Block, block).join(link(features), across.pop())
            risen.append(features)
        return risen

    def _padded(self, image: Tensor) -> tuple[Tensor, tuple[EllipsisType, slice, slice]]:
        """The image, its border repeated to whole levels, and where it lies there."""
        step = 2 ** (len(self.down) - 1)
        height, width = image.shape[-2:]
        top, left = (-height % step) // 2, (-width % step) // 2
        bottom, right = -height % step - top, -width % step - left
        if bottom or right:
            image = functional.pad(image, (left, right, top, bottom), mode="replicate")
        image = image.contiguous(memory_format=torch.channels_last)
        return image, (..., slice(top, top + height), slice(left, left + width))


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
        if coarse[0, 0].numel() < _PIXELS_TO_FOLD:
            repeated = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
            return self.forward(torch.cat([repeated, fine], dim=1))
        weight, channels = self.first.weight, coarse.shape[1]
        kernel = _folded(weight[:, :channels])
        of_coarse = functional.conv_transpose2d(coarse, kernel, stride=2, padding=1)
        of_fine = functional.conv2d(fine, weight[:, channels:], self.first.bias, padding=1)
        return self._after_first(of_coarse + of_fine)

    def _after_first(self, features: Tensor) -> Tensor:
        features = functional.leaky_relu(features, NEGATIVE_SLOPE, inplace=True)
        features = self.normalization(self.second(features))
        return functional.leaky_relu(features, NEGATIVE_SLOPE, inplace=True)


def _folded(weight: Tensor) -> Tensor:
    """The 4x4 kernel that does in strides of 2 what a 3x3 kernel does on repeated pixels.

    It has 4 products a pixel instead of 9, and the repeated pixels are never written.
    """
    for sides in ((0, 1, 0, 0), (0, 0, 0, 1)):
        before = functional.pad(weight, (sides[1], sides[0], sides[3], sides[2]))
        weight = functional.pad(weight, sides) + before
    return weight.flip(2, 3).transpose(0, 1)
