"""How many images a worker is given at a time."""

from __future__ import annotations

_SECONDS = 1.0
"""Of work in a batch: long against what it takes to hand one over, short for who waits."""
_NEWEST = 0.3
"""Weight of the newest batch in the seconds that an image takes."""


class BatchSizes:
    """Begins with one image, and grows while a batch takes less than a second.

    Args:
        most: images in a batch.

    Example:
        >>> sizes = BatchSizes(16)
        >>> sizes.size
        1
        >>> for _ in range(9):
        ...     sizes.note(sizes.size, seconds=0.1 * sizes.size)
        >>> sizes.size
        10
    """

    def __init__(self, most: int) -> None:
        self.size = 1
        """Images in the next batch."""
        self._most = most
        self._each: float | None = None

    def note(self, count: int, seconds: float) -> None:
        """Learn what a batch took."""
        each = seconds / count
        self._each = each if self._each is None else self._each + _NEWEST * (each - self._each)
        fitting = self._most if self._each * self._most <= _SECONDS else int(_SECONDS / self._each)
        self.size = max(1, min(fitting, 2 * self.size))
