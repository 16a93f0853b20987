"""What was told of an errand and not read yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from segmint.app.errand import Told

_LAST = ("done", "failed")


class Inbox:
    """Holds the newest of each kind, so that one who reads slowly gets no heap of old frames.

    For the thread of the event loop alone.
    """

    def __init__(self) -> None:
        self._unread: dict[str, Told] = {}
        self._news = asyncio.Event()
        self.is_over = False
        """Whether the last word was put in; what comes later is ignored."""

    def put(self, told: Told) -> None:
        """Add what is told; it takes the place of an unread one of its kind."""
        if self.is_over:
            return
        self.is_over = is_last(told)
        self._unread.pop(told.kind, None)
        self._unread[told.kind] = told
        self._news.set()

    async def read(self) -> AsyncGenerator[Told, None]:
        """Everything up to the last word, as it comes."""
        while True:
            await self._news.wait()
            while self._unread:
                told = self._unread.pop(next(iter(self._unread)))
                yield told
                if is_last(told):
                    return
            self._news.clear()


def is_last(told: Told) -> bool:
    """Whether nothing comes after it."""
    return told.kind in _LAST
