"""Networks: ``torch.nn.Module`` classes and nothing else, built by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError, nearest
from segmint.networks.checks import MOST_CHANNELS, check_whole
from segmint.networks.zoo_names import FORM, PREFIX, architectures, encoders, parse
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
networks.register(
    FORM,
    "segmint.networks.zoo:ZooNetwork",
    f"{len(architectures())} architectures with {len(encoders())} encoders of "
    "segmentation-models-pytorch, or those of timm as tu-NAME",
)


def build(name: str, *, in_channels: int = 3, classes: int = 21, **options: Any) -> nn.Module:
    """A network by its name.

    Args:
        name: a name that ``segmint list`` shows under networks, or one of the zoo, such as
            ``smp:deeplabv3/resnet50``.
        in_channels: channels of the image, 1 or more.
        classes: channels of the logits, 1 or more.
        options: further arguments of that network.

    Raises:
        UsageError: for an unknown name or option, with the nearest known one, or a value that the
            network cannot be built with.
        InputError: for weights of the zoo that cannot be read or got.
    """
    check_whole("in_channels", in_channels, 1, MOST_CHANNELS)
    check_whole("classes", classes, 1, MOST_CHANNELS)
    if name.startswith(PREFIX):
        architecture, encoder = parse(name)
        options |= {"architecture": architecture, "encoder": encoder}
        name = FORM
    factory = networks.load(name)
    _check_options(name, factory, options)
    network: nn.Module = factory(in_channels=in_channels, classes=classes, **options)
    return network


def _check_options(name: str, factory: Any, options: Mapping[str, Any]) -> None:
    known = inspect.signature(factory).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    own = [each for each in known if each not in ("in_channels", "classes", "seed")]
    for option in options:
        if option not in known:
            raise UsageError(f"network {name!r} does not take {option}: {nearest(option, own)}")
