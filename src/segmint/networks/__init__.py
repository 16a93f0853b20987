"""Networks: ``torch.nn.Module`` classes and nothing else, built by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError, nearest
from segmint.registry import Registry

if TYPE_CHECKING:
    from torch import nn

networks = Registry("network")
networks.register(
    "clustering",
    "segmint.networks.clustering:ClusteringNetwork",
    "small fully convolutional network of Kim, Kanezaki and Tanaka (2020)",
)
networks.register(
    "unet",
    "segmint.networks.unet:UNet",
    "U-Net with batch normalization, 32 first features",
)
networks.register(
    "unet-original",
    "segmint.networks.unet_original:OriginalUNet",
    "U-Net of Ronneberger et al. (2015), 64 first features, no normalization",
)
networks.register(
    "unet-deepg",
    "segmint.networks.unet_deepg:DeepGUNet",
    "U-Net of Schwab et al. (2024)",
)


def build(name: str, *, in_channels: int = 3, classes: int = 21, **options: Any) -> nn.Module:
    """A network by its registered name.

    Args:
        name: a name that ``segmint list`` shows under networks.
        in_channels: channels of the image, 1 or more.
        classes: channels of the logits, 1 or more.
        options: further arguments of that network.

    Raises:
        UsageError: for an unknown name or option, with the nearest known one.
    """
    factory = networks.load(name)
    known = inspect.signature(factory).parameters
    for option in options:
        if option not in known:
            raise UsageError(f"network {name!r} does not take {option}: {nearest(option, known)}")
    network: nn.Module = factory(in_channels=in_channels, classes=classes, **options)
    return network
