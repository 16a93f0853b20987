"""Threads that each take blocks of samples and compute serially.

A mixture is a long row of short operations. Splitting each of them among threads makes all wait for
the slowest, again and again, which is ruinous on a machine that others use, too; whole blocks of
samples wait once a pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

WORTHWHILE = 1 << 15
"""Numbers below which one thread is faster: torch splits no operation on fewer, either."""


class Crew:
    """As many threads as torch may use, while in the ``with`` block.

    They are threads of their own even when torch may use but one, because they round the smallest
    numbers (below 1e-38 in float32) to 0: responsibilities are full of them, and they are slow.

    Args:
        device: where the arithmetic is; anything but the processor needs no threads here.
        numbers: how many numbers a pass is about.
    """

    def __init__(self, device: torch.device, numbers: int) -> None:
        self._threads = torch.get_num_threads()
        self._pool: ThreadPoolExecutor | None = None
        if device.type == "cpu" and numbers > WORTHWHILE:
            self._pool = ThreadPoolExecutor(self._threads, "mixture", _compute_serially)

    def __enter__(self) -> Crew:
        if self._pool is not None:
            arrived = threading.Barrier(self._threads)
            list(self._pool.map(lambda _: arrived.wait(), range(self._threads)))
            # The workers' setting is also the default of threads to come: put that back.
            torch.set_num_threads(self._threads)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results in the order of the items, so that sums do not depend on the threads."""
        if self._pool is None:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))


def _compute_serially() -> None:
    """Settings of the calling thread."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
