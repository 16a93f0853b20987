"""Statistics of normalization measured once, so that a network answers any part of an image alike.

A network that normalizes by the image it sees would give each window of a scene another answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from segmint.networks.normalization import Normalization

_ROWS = 8192
"""Pixels whose squares are added up at a time."""


@torch.no_grad()
def freeze_statistics(network: nn.Module, image: Tensor) -> None:
    """Measure all statistics on one image and normalize by them from now on.

    One pass from the first layer to the last, each normalizing already by what was measured, with
    sums in float64.

    Args:
        network: whose layers are :class:`Normalization`; changed in place.
        image: (1, C, H, W).
    """
    with _measuring(network):
        network(image)


def folded(network: nn.Module) -> nn.Module:
    """The same network with its frozen statistics as batch normalization, in place.

    What deploys networks knows how to make that part of the convolution before it.
    """
    for parent in list(network.modules()):
        for name, module in list(parent.named_children()):
            if isinstance(module, Normalization):
                setattr(parent, name, _batch_normalization(module))
    return network.eval().requires_grad_(False)


def scale_and_shift(module: Normalization) -> tuple[Tensor, Tensor]:
    """(C,) each, in float64: frozen normalization multiplies by the first and adds the second."""
    scale = module.weight.double() * (module.running_variance.double() + module.epsilon).rsqrt()
    return scale, module.bias.double() - module.running_mean.double() * scale


@contextmanager
def _measuring(network: nn.Module) -> Iterator[None]:
    hooks = [
        module.register_forward_pre_hook(_measure)
        for module in network.modules()
        if isinstance(module, Normalization)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _measure(module: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Statistics of what is about to be normalized."""
    assert isinstance(module, Normalization)
    rows = inputs[0].permute(0, 2, 3, 1).flatten(0, 2)
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device)
    squares = torch.zeros_like(total)
    for chunk in torch.split(rows, _ROWS):
        total += chunk.double().sum(dim=0)
    mean = total / len(rows)
    for chunk in torch.split(rows, _ROWS):
        squares += (chunk.double() - mean).square_().sum(dim=0)
    module.running_mean.copy_(mean)
    module.running_variance.copy_(squares / len(rows))
    module.statistics = "running"


def _batch_normalization(module: Normalization) -> nn.BatchNorm2d:
    batch = nn.BatchNorm2d(len(module.weight), eps=module.epsilon)
    batch.weight, batch.bias = module.weight, module.bias
    batch.running_mean, batch.running_var = module.running_mean, module.running_variance
    return batch
