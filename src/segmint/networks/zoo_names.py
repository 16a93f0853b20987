"""Names in the zoo of segmentation-models-pytorch, known without importing it.

``smp:ARCHITECTURE/ENCODER`` names one of its networks. A test holds the lists against the package.
"""

from __future__ import annotations

from collections.abc import Iterable

from segmint.errors import UsageError, nearest, nearest_name

PREFIX = "smp:"
FORM = "smp:ARCHITECTURE/ENCODER"
TIMM_PREFIX = "tu-"
"""Before the name of an encoder that timm brings."""
DOWNLOAD = "download"
"""The word that asks for published weights of the encoder from the network."""

_ARCHITECTURES = """
    unet unetplusplus manet linknet fpn pspnet deeplabv3 deeplabv3plus pan upernet segformer dpt
"""

_ENCODERS = """
    resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x4d
    resnext101_32x8d resnext101_32x16d resnext101_32x32d resnext101_32x48d dpn68 dpn68b dpn92
    dpn98 dpn107 dpn131 vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn senet154
    se_resnet50 se_resnet101 se_resnet152 se_resnext50_32x4d se_resnext101_32x4d densenet121
    densenet169 densenet201 densenet161 inceptionresnetv2 inceptionv4 efficientnet-b0
    efficientnet-b1 efficientnet-b2 efficientnet-b3 efficientnet-b4 efficientnet-b5
    efficientnet-b6 efficientnet-b7 mobilenet_v2 xception timm-efficientnet-b0
    timm-efficientnet-b1 timm-efficientnet-b2 timm-efficientnet-b3 timm-efficientnet-b4
    timm-efficientnet-b5 timm-efficientnet-b6 timm-efficientnet-b7 timm-efficientnet-b8
    timm-efficientnet-l2 timm-tf_efficientnet_lite0 timm-tf_efficientnet_lite1
    timm-tf_efficientnet_lite2 timm-tf_efficientnet_lite3 timm-tf_efficientnet_lite4
    timm-skresnet18 timm-skresnet34 timm-skresnext50_32x4d mit_b0 mit_b1 mit_b2 mit_b3 mit_b4
    mit_b5 mobileone_s0 mobileone_s1 mobileone_s2 mobileone_s3 mobileone_s4
"""


def architectures() -> tuple[str, ...]:
    """Names of the architectures.

    Example:
        >>> architectures()[:3]
        ('unet', 'unetplusplus', 'manet')
    """
    return tuple(_ARCHITECTURES.split())


def encoders() -> tuple[str, ...]:
    """Names of the encoders that the package itself brings; timm's come on top, as ``tu-NAME``.

    Example:
        >>> encoders()[:3]
        ('resnet18', 'resnet34', 'resnet50')
    """
    return tuple(_ENCODERS.split())


def parse(name: str) -> tuple[str, str]:
    """Architecture and encoder of a name; whether timm has its encoder is not asked here.

    Raises:
        UsageError: with the nearest known name.

    Example:
        >>> parse("smp:deeplabv3/resnet50")
        ('deeplabv3', 'resnet50')
    """
    architecture, _, encoder = name.removeprefix(PREFIX).partition("/")
    if not encoder:
        raise UsageError(f"network {name!r} names no encoder, accepted is {FORM}: add one")
    if architecture not in architectures():
        known = nearest(architecture, architectures())
        raise UsageError(f"unknown architecture {architecture!r}: {known}")
    if not encoder.startswith(TIMM_PREFIX) and encoder not in encoders():
        raise unknown_encoder(encoder, encoders())
    return architecture, encoder


def unknown_encoder(encoder: str, known: Iterable[str]) -> UsageError:
    """The refusal of an encoder, with the nearest of those known, which are too many to list."""
    close = nearest_name(encoder, known)
    offer = f"did you mean {close!r}? " if close else ""
    return UsageError(
        f"unknown encoder {encoder!r}: {offer}Known: resnet18, resnet50, mobilenet_v2 and "
        f"{len(encoders()) - 3} more of segmentation-models-pytorch, and timm's as tu-NAME"
    )
