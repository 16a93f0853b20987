"""A training that is cut off in the middle of an epoch, for the tests of going on."""

from __future__ import annotations


class CutOffError(Exception):
    """What ends it."""


class CutOff:
    """A watcher that ends a training after a step."""

    def __init__(self, *, after: int) -> None:
        self._after = after

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        if done == self._after:
            raise CutOffError

    def epoch(self, row: object, line: str) -> None:
        pass
