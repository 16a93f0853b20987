"""The U-Net of the mutual information study (methods S1 and S2).

Its shape is that of Ronneberger, Fischer and Brox (2015), with batch normalization, half as many
features and padded convolutions.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.batch_size import enough_values
from segmint.networks.checks import check_choice, check_dropout
from segmint.networks.levels import convolve_joined, descend, rise, widths
from segmint.networks.normalization import Normalization
from segmint.networks.padding import padded

NormalizationName = Literal["batch", "instance", "none"]


class UNet(nn.Module):
    """Blocks of two 3x3 convolutions on the way down and up again, with links across.

    After each convolution come normalization and ReLU. Each level down halves the image by max
    pooling and doubles the features; each level up doubles the image by a transposed convolution.

    Args:
        in_channels: channels C of the image.
        classes: channels K of the logits.
        features: of the first block.
        levels: how often the image is halved.
        normalization: ``batch`` has statistics of the batch in training and running averages in
            prediction; ``instance`` those of each image, the same in both; ``none`` has biases.
        dropout: share of features set to 0 in training after the two deepest blocks of the way
            down, where features are many and images few; the study has none.
        seed: of the initial weights.

    Example:
        >>> network = UNet(in_channels=3, classes=21)
        >>> sum(p.numel() for p in network.parameters())
        7763701
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 21,
        features: int = 32,
        levels: int = 4,
        normalization: NormalizationName = "batch",
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        sizes = widths(features, levels)
        check_choice("normalization", normalization, get_args(NormalizationName))
        check_dropout(dropout)
        self._configuration = {
            "in_channels": in_channels,
            "classes": classes,
            "features": features,
            "levels": levels,
            "normalization": normalization,
            "dropout": dropout,
        }
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            inputs = [in_channels, *sizes]
            self.down = nn.ModuleList(
                _Block(inputs[level], width, normalization, dropout if level >= levels - 1 else 0)
                for level, width in enumerate(sizes)
            )
            self.up = nn.ModuleList(_Rise(width, normalization) for width in sizes[-2::-1])
            self.head = nn.Conv2d(features, classes, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def configuration(self) -> dict[str, int | float | str]:
        """Arguments that build the same network again, weights apart."""
        return dict(self._configuration)

    @property
    def step(self) -> int:
        """Height and width are padded to multiples of it."""
        return 1 << len(self.up)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size.

        Raises:
            UsageError: in training, when a batch leaves a single value for batch normalization.
        """
        with enough_values(image):
            image, window = padded(image, self.step)
            risen = rise(self.up, descend(self.down, image))
        return cast(Tensor, self.head(risen[-1]))[window]


class _Block(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, normalization: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        biased = normalization == "none"
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=biased)
        self.first_normalization = _normalization(normalization, out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=biased)
        self.second_normalization = _normalization(normalization, out_channels)
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        return self.after_first(cast(Tensor, self.first(features)))

    def after_first(self, features: Tensor) -> Tensor:
        features = functional.relu(self.first_normalization(features), inplace=True)
        features = self.second_normalization(self.second(features))
        features = functional.relu(features, inplace=True)
        return functional.dropout(features, self.dropout, self.training and self.dropout > 0)


class _Rise(nn.Module):
    def __init__(self, width: int, normalization: str) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.block = _Block(2 * width, width, normalization)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        doubled = cast(Tensor, self.enlarge(coarse))
        return self.block.after_first(convolve_joined(self.block.first, doubled, fine))


def _normalization(name: str, channels: int) -> nn.Module:
    if name == "batch":
        return nn.BatchNorm2d(channels)
    return Normalization(channels) if name == "instance" else nn.Identity()
