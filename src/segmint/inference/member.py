"""A network that answers, with all that is needed to ask it of a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from segmint.datasets.preprocessing import Preprocessing
from segmint.inference.live_memory import live_memory
from segmint.networks.deployed import deployed
from segmint.networks.plain_kernels import plain_kernels
from segmint.networks.reach import Reach, measured_reach

Activation = Literal["softmax", "sigmoid", "none"]
"""What makes probabilities of logits; ``none`` where the network gives probabilities."""

LARGEST_LOOKING_EVERYWHERE = 1024
"""Side of the largest tile for networks in which every output looks at everything."""
_SIDE = 64
"""Of the least image that memory is measured on."""
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
            return quick(image.to(device)).cpu()

        channels, classes = int(configuration["in_channels"]), int(configuration["classes"])
        is_here = device.type == "cpu"
        memory = _bytes_per_pixel(respond, reach, channels) if is_here else 4.0
        return cls(
            respond=respond,
            preprocessing=preprocessing,
            activation=activation,
            reach=reach,
            classes=classes,
            bytes_per_pixel=memory if is_here else 4.0 * (2 * channels + classes),
            name=name,
            batch=1 if is_here else _BATCH_OF_GPU,
        )


def _bytes_per_pixel(respond: Callable[[Tensor], Tensor], reach: Reach, channels: int) -> float:
    """What each further pixel takes, seen from images of several sizes.

    Where every output looks at everything, memory may grow with the square of the pixels, and what
    counts is the largest tile.
    """
    side = max(_SIDE, reach.least)
    side += -side % reach.step
    if reach.most is not None:
        return _memory(respond, channels, reach.step) / reach.step**2
    small, middle = (_memory(respond, channels, times * side) for times in (1, 2))
    slope = (middle - small) / (3 * side**2)
    if reach.halo is not None:
        return slope
    next_slope = (_memory(respond, channels, 4 * side) - middle) / (12 * side**2)
    # The slopes are those between 1 and 4 and between 4 and 16 times the least pixels.
    curvature = max(0.0, next_slope - slope) / (15 * side**2)
    return next_slope + curvature * max(0, LARGEST_LOOKING_EVERYWHERE**2 - 16 * side**2)


def _memory(respond: Callable[[Tensor], Tensor], channels: int, side: int) -> int:
    image = torch.zeros(1, channels, side, side).contiguous(memory_format=torch.channels_last)
    with plain_kernels():
        return live_memory(respond, image)
