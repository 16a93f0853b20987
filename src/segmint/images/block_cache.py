"""Decoded blocks of a file, kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from numpy.typing import NDArray

LEAST_BYTES = 64 << 20
MOST_BYTES = 256 << 20


class BlockCache:
    """Arrays by key; those used longest ago leave first. Several threads may use it at once.

    Example:
        >>> import numpy as np
        >>> cache = BlockCache(limit=20)
        >>> for name in "abc":
        ...     cache.put(name, np.zeros(8, np.uint8))
        >>> cache.get("a") is None, cache.get("c") is None
        (True, False)
    """

    def __init__(self, *, limit: int = LEAST_BYTES, ceiling: int = MOST_BYTES) -> None:
        self.limit = limit
        self._ceiling = max(limit, ceiling)
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def make_room(self, needed: int) -> None:
        """Let the blocks of one window stay together, up to a ceiling.

        A cache a little smaller than what is read again and again never has the next one.
        """
        with self._lock:
            self.limit = max(self.limit, min(needed, self._ceiling))

    def get(self, key: Hashable) -> NDArray[Any] | None:
        """The array, or nothing when it is not kept."""
        with self._lock:
            array = self._arrays.get(key)
            if array is not None:
                self._arrays.move_to_end(key)
            return array

    def put(self, key: Hashable, array: NDArray[Any]) -> None:
        """Keep an array, unless it is larger than the limit by itself."""
        with self._lock:
            if key in self._arrays or array.nbytes > self.limit:
                return
            self._arrays[key] = array
            self._bytes += array.nbytes
            while self._bytes > self.limit:
                _, oldest = self._arrays.popitem(last=False)
                self._bytes -= oldest.nbytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._arrays.clear()
            self._bytes = 0
