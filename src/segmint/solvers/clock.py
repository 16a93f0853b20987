"""The time that a training has taken, and what it will take."""

from __future__ import annotations

import time


class Clock:
    """Runs from when it is made.

    Args:
        spent: seconds of earlier sittings.
        limit: seconds that all sittings together may take, or infinite.
    """

    def __init__(self, spent: float, limit: float) -> None:
        self._start = self._first_step = time.perf_counter()
        self._spent = spent
        self._limit = limit

    @property
    def seconds(self) -> float:
        """Of all sittings together."""
        return self._spent + self._sitting

    @property
    def share(self) -> float:
        """Share of the limit that is over, 0 to 1; 0 where there is none."""
        return min(self.seconds / self._limit, 1.0)

    def first_step(self) -> None:
        """Preparations are over: from now on time tells how long a step takes."""
        self._first_step = time.perf_counter()

    def seconds_left(self, done: int, to_go: int) -> float | None:
        """How long so many further steps will take, after so many of this sitting."""
        if done == 0:
            return None
        each = (time.perf_counter() - self._first_step) / done
        return min(each * to_go, max(self._limit - self.seconds, 0.0))

    @property
    def _sitting(self) -> float:
        return time.perf_counter() - self._start
