"""The way down and up again, which every U-Net has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from segmint.networks.checks import check_whole

MOST_LEVELS, MOST_FEATURES = 8, 512


def widths(features: int, levels: int) -> list[int]:
    """Channels of each level, fine to coarse, doubled from one to the next.

    Args:
        features: of the finest level, 1 to 512.
        levels: how often the image is halved, 1 to 8.

    Raises:
        UsageError: outside of these.

    Example:
        >>> widths(32, 4)
        [32, 64, 128, 256, 512]
    """
    check_whole("features", features, 1, MOST_FEATURES)
    check_whole("levels", levels, 1, MOST_LEVELS)
    return [features * 2**level for level in range(levels + 1)]


def descend(blocks: Iterable[nn.Module], features: Tensor) -> list[Tensor]:
    """Features after each block, fine to coarse, halved by max pooling in between."""
    across: list[Tensor] = []
    for block in blocks:
        if across:
            features = functional.max_pool2d(features, 2)
        features = cast(Tensor, block(features))
        across.append(features)
    return across


def rise(steps: Iterable[Callable[[Tensor, Tensor], Tensor]], across: list[Tensor]) -> list[Tensor]:
    """Features after each step up, coarse to fine.

    Args:
        steps: called with coarse features and those of twice the size from the way down.
        across: what :func:`descend` returned; emptied, so that memory is free as soon as it can.
    """
    risen = []
    features = across.pop()
    for step in steps:
        features = step(features, across.pop())
        risen.append(features)
    return risen


def convolve_joined(convolution: nn.Conv2d, first: Tensor, second: Tensor) -> Tensor:
    """What a padded 3x3 convolution makes of two feature maps, one behind the other.

    A convolution of joined channels is the sum of two convolutions; so the joined map, the largest
    of a U-Net, is never written nor kept for the gradient.
    """
    weight, channels = convolution.weight, first.shape[1]
    of_first = functional.conv2d(first, weight[:, :channels], convolution.bias, padding=1)
    return of_first.add_(functional.conv2d(second, weight[:, channels:], padding=1))
