"""One after the other, by name."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """Locks that are there for as long as somebody holds or awaits them.

    Example:
        >>> turns = Turns()
        >>> mine = turns.of("a")
        >>> mine is turns.of("a"), mine is turns.of("b")
        (True, False)
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of a name."""
        return self._locks.setdefault(name, asyncio.Lock())
