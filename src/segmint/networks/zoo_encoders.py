"""What encoders of timm need so that they take images of any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from segmint.networks.zoo_names import TIMM_PREFIX, unknown_encoder
from segmint.torchvision_operators import declare_operators

_FREE_SIZES: tuple[dict[str, Any], ...] = ({"dynamic_img_size": True}, {"strict_img_size": False})
"""Arguments, each of some families of timm, that free an encoder from one size of image."""


@dataclass(frozen=True, kw_only=True)
class EncoderNeeds:
    """How to make an encoder, and how to pad images for it."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """For the encoder's constructor."""
    step: int | None = None
    """Height and width are to be multiples of it; None for the stride of its coarsest features."""
    size: int | None = None
    """Height and width that it takes for sure, where it may not take others."""
    foreign: bool = False
    """Whether it is timm's, of which some take few sizes and tell by an error alone."""


def encoder_needs(encoder: str) -> EncoderNeeds:
    """The needs of an encoder; those that are not timm's have none.

    Raises:
        UsageError: when timm has no such encoder.
    """
    if not encoder.startswith(TIMM_PREFIX):
        return EncoderNeeds()
    declare_operators()
    import timm

    name = encoder.removeprefix(TIMM_PREFIX)
    # A name with a colon would make timm ask a server or read a folder.
    if not timm.is_model(name.partition(".")[0]) or ":" in name:
        raise unknown_encoder(encoder, [f"{TIMM_PREFIX}{known}" for known in timm.list_models()])
    for arguments in _FREE_SIZES:
        if _takes(name, arguments):
            return EncoderNeeds(foreign=True, arguments=arguments)
    published: Any = timm.get_pretrained_cfg(name.partition(".")[0])
    if published is None or not published.fixed_input_size:
        return EncoderNeeds(foreign=True)
    size = max(published.input_size[1:])
    return EncoderNeeds(foreign=True, step=size, size=size)


def _takes(name: str, arguments: dict[str, Any]) -> bool:
    """Whether an encoder knows these arguments; it is made without memory for its weights."""
    import timm

    try:
        with torch.device("meta"):
            timm.create_model(name, pretrained=False, **arguments)
    except (TypeError, RuntimeError, ValueError, AssertionError):
        return False
    return True
