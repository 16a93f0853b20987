"""The original U-Net, as the segmentation of the ISBI 2012 challenge uses it (method S4).

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
MICCAI 2015. The paper's convolutions are valid, so that its logits are 92 pixels smaller on each
side and links are cropped; here, as in every later version of it, convolutions pad with zeros and
logits have the size of the image.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.checks import check_dropout
from segmint.networks.levels import convolve_joined, descend, rise, widths
from segmint.networks.padding import padded
from segmint.networks.repetition import convolve_repeated


class OriginalUNet(nn.Module):
    """Blocks of two 3x3 convolutions with ReLU on the way down and up again, with links across.

    There is no normalization. Each level down halves the image by max pooling and doubles the
    features; each level up repeats pixels and halves the features by a 2x2 convolution with ReLU.
    Weights start as in the paper's section 3, normal with variance 2 / inputs (He et al. 2015).

    Args:
        in_channels: channels C of the image.
        classes: channels K of the logits; 1 for membrane or not.
        features: of the first block.
        levels: how often the image is halved.
        dropout: share of features set to 0 in training at the end of the way down, after the two
            deepest blocks, as published; 0 for none.
        seed: of the initial weights.

    Example:
        >>> network = OriginalUNet(in_channels=1, classes=1)
        >>> sum(p.numel() for p in network.parameters())
        31030593
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        classes: int = 1,
        features: int = 64,
        levels: int = 4,
        dropout: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        sizes = widths(features, levels)
        check_dropout(dropout)
        self._configuration = {
            "in_channels": in_channels,
            "classes": classes,
            "features": features,
            "levels": levels,
            "dropout": dropout,
        }
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            inputs = [in_channels, *sizes]
            self.down = nn.ModuleList(
                _Block(inputs[level], width, dropout if level >= levels - 1 else 0)
                for level, width in enumerate(sizes)
            )
            self.up = nn.ModuleList(_Rise(width) for width in sizes[-2::-1])
            self.head = nn.Conv2d(features, classes, 1)
            self.apply(_initialize)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def configuration(self) -> dict[str, int | float]:
        """Arguments that build the same network again, weights apart."""
        return dict(self._configuration)

    @property
    def step(self) -> int:
        """Height and width are padded to multiples of it."""
        return 1 << len(self.up)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size."""
        image, window = padded(image, self.step)
        risen = rise(self.up, descend(self.down, image))
        return cast(Tensor, self.head(risen[-1]))[window]


class _Block(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        return self.after_first(cast(Tensor, self.first(features)))

    def after_first(self, features: Tensor) -> Tensor:
        features = functional.relu(
            self.second(functional.relu(features, inplace=True)), inplace=True
        )
        return functional.dropout(features, self.dropout, self.training and self.dropout > 0)


class _Rise(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.halve = nn.Conv2d(2 * width, width, 2)
        self.block = _Block(2 * width, width)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        # An even kernel has no middle: like other code, look to the right and below.
        doubled = convolve_repeated(coarse, self.halve.weight, self.halve.bias)
        doubled = functional.relu(doubled, inplace=True)
        return self.block.after_first(convolve_joined(self.block.first, doubled, fine))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(cast(Tensor, module.bias))
