"""Numbers on their way from where they are computed to the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

About = TypeVar("About")


class Arrivals(Generic[About]):
    """Numbers of the steps, in order.

    A program that waits for the numbers of a step leaves a GPU idle while it prepares the next one.
    So there they arrive one step late, when they are long known; elsewhere at once.

    Args:
        late: one step late.
    """

    def __init__(self, *, late: bool) -> None:
        self._late = late
        self._under_way: tuple[Callable[[], list[float]], About] | None = None

    def send(self, values: Sequence[Tensor], about: About) -> list[tuple[tuple[float, ...], About]]:
        """Send scalars; those that have arrived come back, with what was sent along."""
        if not self._late:
            return [(tuple(float(value) for value in values), about)]
        arrived = self.rest()
        self._under_way = _begin_copy(torch.stack([value.float() for value in values])), about
        return arrived

    def rest(self) -> list[tuple[tuple[float, ...], About]]:
        """Wait for those that have not arrived."""
        if self._under_way is None:
            return []
        wait, about = self._under_way
        self._under_way = None
        return [(tuple(wait()), about)]


def _begin_copy(values: Tensor) -> Callable[[], list[float]]:
    """Copy to the host while the device goes on; what is returned waits for the end of the copy."""
    if values.device.type != "cuda":
        return values.tolist
    copied = torch.empty(values.shape, pin_memory=True)
    copied.copy_(values, non_blocking=True)
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()

    def wait() -> list[float]:
        event.synchronize()
        found: list[float] = copied.tolist()
        return found

    return wait
