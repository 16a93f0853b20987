"""A checkpoint that one process reads, and all of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from segmint.solvers.agreement import first_does
from segmint.solvers.checkpoints import Checkpoint
from segmint.solvers.place import Place

_Shapes = Mapping[str, tuple[torch.Size, torch.dtype]]


def shared_checkpoint(place: Place, read: Callable[[], Checkpoint | None]) -> Checkpoint | None:
    """What the first process reads, in all of them.

    Args:
        place: of this process.
        read: called by the first one alone.

    Raises:
        ToldError: in the others, when the first one cannot read it.
    """
    if place.world == 1:
        return read()
    own: list[Checkpoint] = []

    def described() -> tuple[Mapping[str, Any], dict[str, _Shapes]] | None:
        found = read()
        if found is None:
            return None
        own.append(found)
        return found.facts, {
            "task": _shapes(found.task),
            "average": _shapes(found.average),
            "optimizer": _shapes(found.optimizer),
        }

    told = first_does(place, described)
    if told is None:
        return None
    facts, shapes = told
    empty = {part: _empty(each) for part, each in shapes.items()}
    found = own[0] if own else Checkpoint(facts=facts, **empty)
    for part in (found.task, found.average, found.optimizer):
        for tensor in part.values():
            torch.distributed.broadcast(tensor, 0)
    return found


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def _empty(shapes: _Shapes) -> dict[str, Tensor]:
    return {name: torch.empty(shape, dtype=dtype) for name, (shape, dtype) in shapes.items()}
