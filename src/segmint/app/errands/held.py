"""What a process keeps of the images it worked on, for the next errand on the same one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

MOST_BYTES = 512 * 2**20
"""That a process keeps between errands."""

T = TypeVar("T")


class Held:
    """Values that are costly to make, of which the last used stay while they are small enough.

    Args:
        most: bytes of all together; a larger value is not kept at all.

    Example:
        >>> held = Held(most=100)
        >>> held.get("a", lambda: "made", size=lambda value: 60)
        'made'
        >>> held.get("a", lambda: "made again", size=lambda value: 60)
        'made'
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Any, Callable[[Any], int]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value of a key, made where it is not kept.

        Args:
            key: says all that the value depends on.
            make: makes it.
            size: bytes that it takes, which may grow.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            value: T = self._kept[key][0]
            return value
        value = make()
        self._kept[key] = value, size
        self.shrink()
        return value

    def shrink(self) -> None:
        """Let go of what was used longest ago while all together is too large."""
        sizes = [size(value) for value, size in self._kept.values()]
        while sizes and sum(sizes) > self._most:
            self._kept.popitem(last=False)
            del sizes[0]

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)


def stamp(path: Path) -> tuple[str, int, int]:
    """What tells a file from another of its name: its path, when it was written and its size."""
    status = path.stat()
    return str(path), status.st_mtime_ns, status.st_size


held = Held()
"""Of this process."""
