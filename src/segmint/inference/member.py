"""A network that answers, with all that is needed to ask it of a scene."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from segmint.datasets.preprocessing import Preprocessing
from segmint.inference.live_memory import live_memory
from segmint.networks.deployed import Deployed, deployed
from segmint.networks.plain_kernels import plain_kernels
from segmint.networks.reach import Reach, measured_reach

Activation = Literal["softmax", "sigmoid", "none"]
"""What makes probabilities of logits; ``none`` where the network gives probabilities."""

LARGEST_LOOKING_EVERYWHERE = 1024
"""Side of the largest tile for networks in which every output looks at everything."""
_LARGE, _SMALL = 2048, 256
"""Sides of the images on which memory is counted without and with computing."""
_BATCH_OF_GPU = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """A network that answers, and what its images go through."""

    respond: Callable[[Tensor], Tensor]
    """Logits (N, K, h, w) float32 on the CPU, or probabilities, of normalized images (N, C, h, w)
    float32 whose sides are multiples of ``reach.step`` and at least ``reach.least``."""
    preprocessing: Preprocessing
    """With ``resize``, the network sees the whole scene at that size."""
    activation: Activation
    reach: Reach
    classes: int
    """K."""
    bytes_per_pixel: float
    """Memory of this machine that ``respond`` takes at its worst moment, a pixel of its input."""
    name: str
    """For messages: the file it is from."""
    batch: int = 1
    """Windows that it answers together; more than one pays on a GPU alone."""

    @classmethod
    def of(
        cls,
        network: nn.Module,
        *,
        preprocessing: Preprocessing,
        activation: Activation,
        device: torch.device,
        dtype: torch.dtype,
        name: str,
    ) -> Self:
        """A network of :mod:`segmint.networks`, as quick as it gets and with its reach measured.

        Args:
            network: is moved to the device.
            preprocessing: what its images go through.
            activation: what makes probabilities of its logits.
            device: where it computes.
            dtype: of its arithmetic.
            name: for messages, the file it is from.
        """
        network = network.to(device).eval()
        configuration: Any = network.configuration
        reach = measured_reach(network)
        quick = deployed(network, dtype)

        def respond(image: Tensor) -> Tensor:
            logits: Tensor = quick(image.to(device))
            return logits.cpu()

        channels, classes = int(configuration["in_channels"]), int(configuration["classes"])
        is_here = device.type == "cpu"
        return cls(
            respond=respond,
            preprocessing=preprocessing,
            activation=activation,
            reach=reach,
            classes=classes,
            bytes_per_pixel=_bytes_per_pixel(quick, reach, channels)
            if is_here
            else 4.0 * (2 * channels + classes),
            name=name,
            batch=1 if is_here else _BATCH_OF_GPU,
        )


def _bytes_per_pixel(network: Deployed, reach: Reach, channels: int) -> float:
    """What a pixel of a large tile takes; counted without computing where the network can.

    Attention counts as if all its weights were written out, which the processor's does not.
    """
    side = _LARGE if reach.halo is not None else LARGEST_LOOKING_EVERYWHERE
    side = reach.most or max(side, reach.least)
    side += -side % reach.step
    with suppress(RuntimeError, NotImplementedError, TypeError, ValueError):
        return _memory(network.without_values(), channels, side, device="meta") / side**2
    side = reach.most or max(_SMALL, reach.least)
    side += -side % reach.step
    with plain_kernels():
        return _memory(network, channels, side) / side**2


def _memory(network: nn.Module, channels: int, side: int, *, device: str = "cpu") -> int:
    image = torch.zeros(1, channels, side, side, device=device)
    return live_memory(network, image.contiguous(memory_format=torch.channels_last))
