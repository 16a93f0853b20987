"""Stochastic gradient descent on an objective: the loop that one image and many images share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.objective import Objective


@dataclass(frozen=True, kw_only=True)
class Step:
    """One iteration as the caller sees it."""

    number: int
    """Counts from 1."""
    response: Tensor
    """(N, K, H, W), detached, from before the step."""
    objective: float
    parts: dict[str, float]
    """Weighted value of each term."""


def descend(
    network: nn.Module,
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
        network: image (N, C, H, W) to response (N, K, H, W); changed in place.
        objective: what to minimize.
        batches: one for each iteration.
        iterations: at most so many.
        learning_rate: of gradient descent, above 0.
        momentum: of gradient descent, 0 to below 1.
        dtype: arithmetic of the network; statistics and objective stay in float32.
        after: looks at each step before the weights change; True ends the descent there, so the
            response it saw is the response of the final weights.
    """
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=momentum)
    for number, batch in enumerate(itertools.islice(batches, iterations), start=1):
        with arithmetic(dtype, batch.image.device):
            response = network(batch.image)
        total = objective(response, batch)
        step = Step(
            number=number,
            response=response.detach(),
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
