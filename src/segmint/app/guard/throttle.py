"""Log-ins one after the other, and slower after each that failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

_FIRST = 0.125
_LONGEST = 2.0
_FORGOTTEN = 60.0
"""Seconds without a failure after which earlier ones count no more."""
_WAITING = 20


class Throttle:
    """Lets attempts in one by one, and answers one that failed late.

    Args:
        pause: waits for seconds; another in tests.
        waiting: attempts that may wait; more are refused without a look at them.
    """

    def __init__(
        self,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waiting: int = _WAITING,
    ) -> None:
        self._pause = pause
        self._room = waiting
        self._turn = asyncio.Lock()
        self._failures = 0
        self._last = 0.0

    async def attempt(self, is_right: Callable[[], bool]) -> bool | None:
        """Whether the attempt was right; None where too many wait already."""
        if self._room == 0:
            return None
        self._room -= 1
        try:
            async with self._turn:
                return await self._judged(is_right)
        finally:
            self._room += 1

    async def _judged(self, is_right: Callable[[], bool]) -> bool:
        if is_right():
            return True
        now = time.monotonic()
        if now - self._last > _FORGOTTEN:
            self._failures = 0
        self._failures, self._last = self._failures + 1, now
        await self._pause(min(_LONGEST, _FIRST * 2 ** min(self._failures - 1, 10)))
        return False
