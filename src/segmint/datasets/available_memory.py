"""How much memory this process may still take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Bytes that are free or can be freed, of the machine or of the container, whichever is less.

    None where the system does not say; only Linux does.
    """
    known = [each for each in (_of_machine(), _of_container()) if each is not None]
    return min(known, default=None)


def in_gibibytes(size: int) -> str:
    """A size as people say it.

    Example:
        >>> in_gibibytes(440_000_000), in_gibibytes(25 * 2**30)
        ('0.41 GiB', '25 GiB')
    """
    value = size / 2**30
    return f"{value:.0f} GiB" if value >= 9.95 else f"{value:.2g} GiB"


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
    return None


def _of_container() -> int | None:
    with suppress(OSError, ValueError):
        most, taken = ((_GROUP / name).read_text() for name in ("memory.max", "memory.current"))
        return max(0, int(most) - int(taken))
    return None
