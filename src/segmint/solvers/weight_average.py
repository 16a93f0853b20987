"""A moving average of weights, which is steadier than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of all floating weights and buffers of a network.

    At its update number t, from 0, it keeps the share ``min(decay, (1 + t) / (10 + t))`` of itself,
    so that in short runs the random first weights are forgotten, too. Numbers that are not
    floating, like counters, are those of the network.

    Args:
        network: averaged from its present weights on.
        decay: 0 to below 1; the greatest share it keeps of itself.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.updates = 0
        self._decay = decay
        self._current = floating(network)
        self._average = {name: value.detach().clone() for name, value in self._current.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the present weights."""
        kept = min(self._decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        averages, current = list(self._average.values()), list(self._current.values())
        torch._foreach_lerp_(averages, current, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block, the network has the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, Tensor]:
        """The averages by the names of the weights."""
        return dict(self._average)

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor], updates: int) -> None:
        """Go on from averages after so many updates."""
        self.updates = updates
        for name, value in self._average.items():
            value.copy_(state[name])

    def _swap(self) -> None:
        for name, value in self._current.items():
            average = self._average[name]
            value.data, average.data = average.data, value.data


def use_average(network: nn.Module, averages: Mapping[str, Tensor]) -> None:
    """Give a network the averages that :meth:`WeightAverage.state` told, for good."""
    with torch.no_grad():
        for name, value in floating(network).items():
            value.copy_(averages[name])


def floating(network: nn.Module) -> dict[str, Tensor]:
    """Floating weights and buffers that are saved, each once, also when it has several names."""
    found: dict[int, tuple[str, Tensor]] = {}
    for name, value in network.state_dict(keep_vars=True).items():
        if value.is_floating_point():
            found.setdefault(id(value), (name, value))
    return dict(found.values())
