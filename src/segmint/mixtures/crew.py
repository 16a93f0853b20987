"""Threads that each take blocks of samples and compute serially.

A mixture is a long row of short operations. Splitting each of them among threads makes all wait for
the slowest, again and again, which is ruinous on a machine that others use, too; whole blocks of
samples wait once a pass, and only for work that has begun.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

WORTHWHILE = 1 << 15
"""Numbers below which helpers cost more than they help."""


class Crew:
    """The calling thread and helpers, as many together as torch may use, in the ``with`` block.

    While it works, the calling thread computes serially, too, and rounds the smallest numbers
    (below 1e-38 in float32) to 0: responsibilities are full of them, and they are slow.

    Args:
        device: where the arithmetic is; anything but the processor needs no threads here.
        numbers: how many numbers a pass is about.
    """

    def __init__(self, device: torch.device, numbers: int) -> None:
        self._needed = device.type == "cpu"
        self._threads = torch.get_num_threads()
        self._helpers = self._threads - 1 if numbers > WORTHWHILE else 0
        self._flushed = False
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Crew:
        if self._needed:
            self._flushed = _flushes()
            _compute_serially()
            if self._helpers > 0:
                self._pool = ThreadPoolExecutor(self._helpers, "mixture", _compute_serially)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._needed:
            torch.set_num_threads(self._threads)
            torch.set_flush_denormal(self._flushed)

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results in the order of the items, so that sums do not depend on the threads."""
        if self._pool is None:
            return [work(item) for item in items]
        waiting = deque(enumerate(items))
        results: dict[int, Result] = {}

        def take() -> None:
            while waiting:
                try:
                    index, item = waiting.popleft()
                except IndexError:
                    return
                results[index] = work(item)

        helpers = [self._pool.submit(take) for _ in range(min(self._helpers, len(waiting) - 1))]
        try:
            take()
        finally:
            waiting.clear()
        for helper in helpers:
            if not helper.cancel():
                helper.result()
        return [results[index] for index in range(len(results))]


def _compute_serially() -> None:
    """Settings of the calling thread."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _flushes() -> bool:
    """Whether the calling thread rounds the smallest numbers to 0; torch does not tell."""
    return float(torch.full((1,), 2.0**-1074, dtype=torch.float64).mul_(1.0)) == 0.0
