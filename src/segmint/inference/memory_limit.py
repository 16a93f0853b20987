"""How much memory a prediction may take."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from segmint.datasets.available_memory import available_memory
from segmint.errors import UsageError, shortened

_UNITS = {"": 1, "B": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("KMGT", start=1)
    for ending, base in (("", 1024), ("IB", 1024), ("B", 1000))
}
_FORM = re.compile(r"\s*(\d+(?:\.\d*)?(?:e\d+)?|\.\d+)\s*([KMGT]?B?|[KMGT]IB)\s*", re.IGNORECASE)
_UNKNOWN = 4 * 2**30
"""Bytes taken for available where the system does not say."""
_PAGES = Path("/proc/self/statm")


@dataclass(frozen=True)
class MemoryLimit:
    """Most that the process may hold, in bytes, with all that it holds already.

    Example:
        >>> MemoryLimit.of("2GiB")
        MemoryLimit(total=2147483648)
    """

    total: int

    @classmethod
    def of(cls, text: str | None, *, among: int = 1) -> Self:
        """The limit that a text names.

        Args:
            text: a number with KiB, MiB, GiB, TiB (or K, M, G, T), KB, MB, GB, TB or nothing, which
                is bytes; None for what is held now and half of what is available besides.
            among: processes that share it.

        Raises:
            UsageError: for any other text.
        """
        if text is None:
            available = available_memory()
            free = _UNKNOWN if available is None else available
            return cls(held_memory() + free // 2 // among)
        form = _FORM.fullmatch(text)
        size = float(form[1]) * _UNITS[form[2].upper()] if form else 0.0
        if not 1 <= size < 2**63:
            raise UsageError(
                f"--max-memory is {shortened(text)!r}, accepted is a size such as 2GiB, 1500MB or "
                "a number of bytes: give one"
            )
        return cls(int(size) // among)

    def left(self) -> int:
        """Bytes beyond what the process holds now, and no more than the machine has; 0 or more."""
        left = max(0, self.total - held_memory())
        available = available_memory()
        return left if available is None else min(left, available)


def held_memory() -> int:
    """Bytes of memory that this process holds; where the system tells no more, the most it held."""
    with suppress(OSError, ValueError, IndexError):
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return 0
