"""Stochastic gradient descent on an objective: the loop that one image and many images share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from segmint.networks.factored import FactoredResponse
from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective


@dataclass(frozen=True, kw_only=True)
class Step:
    """One iteration as the caller sees it."""

    number: int
    """Counts from 1."""
    labels: Tensor
    """(N, H, W) channel of the largest response, from before the step."""
    objective: float
    parts: dict[str, float]
    """Weighted value of each term."""


class Responding(Protocol):
    """A network whose response may come factored."""

    def respond(self, image: Tensor) -> Tensor | FactoredResponse:
        """The response (N, K, H, W) of images (N, C, H, W)."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is learned."""
        ...


def descend(
    network: Responding,
    objective: Objective,
    batches: Iterable[Batch],
    *,
    iterations: int,
    learning_rate: float,
    momentum: float,
    dtype: torch.dtype,
    after: Callable[[Step], bool],
) -> None:
    """Minimize the objective until ``after`` says that it is enough.

    Args:
        network: its ``respond`` maps images (N, C, H, W) to responses; changed in place.
        objective: what to minimize.
        batches: one for each iteration.
        iterations: at most so many.
        learning_rate: of gradient descent, above 0.
        momentum: of gradient descent, 0 to below 1.
        dtype: arithmetic of the network; statistics and objective stay in float32.
        after: looks at each step before the weights change; True ends the descent there, so the
            labels it saw are those of the final weights.
    """
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=momentum)
    for number, batch in enumerate(itertools.islice(batches, iterations), start=1):
        with arithmetic(dtype, batch.image.device):
            response = network.respond(batch.image)
        total = objective(response, batch)
        step = Step(
            number=number,
            labels=objective.labels,
            objective=float(total.detach()),
            parts=objective.parts,
        )
        if after(step):
            return
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()


def arithmetic(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Context in which a network computes in a type."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)
