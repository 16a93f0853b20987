"""A network as bytes and its structure, for another process."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import safetensors.torch
import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class SentNetwork:
    """What a network was, in memory of its own.

    Tensors themselves would go to a process of the same machine as handles to shared memory, which
    end with the process that sent them.
    """

    _structure: nn.Module
    """Without values."""
    _values: bytes

    @classmethod
    def of(cls, network: nn.Module) -> Self:
        """A network, which stays as it is."""
        values = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in _tensors(network)
        }
        return cls(copy.deepcopy(network).to("meta"), safetensors.torch.save(values))

    def network(self) -> nn.Module:
        """The same network on the CPU, its values in the same order in memory."""
        network = copy.deepcopy(self._structure).to_empty(device="cpu")
        values = safetensors.torch.load(self._values)
        with torch.no_grad():
            for name, tensor in _tensors(network):
                tensor.copy_(values[name])
        return network


def _tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """All that has values, also what no file of weights would hold."""
    return itertools.chain(network.named_parameters(), network.named_buffers())
