"""Items that wait for a worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from segmint.engines.item import Item


class ItemQueue:
    """Takes no more from a collection than is looked at, however long the collection is.

    Args:
        items: the collection; read once.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._source = iter(items)
        self._ahead: deque[Item] = deque()
        self.is_dry = False
        """Whether nothing more comes than what waits here."""

    def look(self, count: int) -> int:
        """How many items wait, counted up to so many at least."""
        while not self.is_dry and len(self._ahead) < count:
            item = next(self._source, None)
            if item is None:
                self.is_dry = True
            else:
                self._ahead.append(item)
        return len(self._ahead)

    def take(self, count: int) -> list[Item]:
        """The next items, so many at most."""
        return [self._ahead.popleft() for _ in range(min(count, self.look(count)))]

    def put_back(self, items: Iterable[Item]) -> None:
        """Items that were not begun; they are the next."""
        self._ahead.extendleft(reversed(list(items)))
