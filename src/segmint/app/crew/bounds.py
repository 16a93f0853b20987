"""What an errand may take, in seconds and bytes, and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from segmint.app.options import LimitOptions

_GIBIBYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The limits of the processes as numbers."""

    jobs: int
    """Processes for long errands."""
    quick_jobs: int = 2
    """Processes for quick ones, so that these need not wait for the large file of another."""
    waiting: int
    """Long errands that may wait."""
    memory: int
    """Bytes that one process may hold."""
    kept_memory: int
    """Bytes that a process that waits for work may hold beyond those it began with."""
    long_seconds: float
    """For a long errand, from when a process begins it."""
    quick_seconds: float = 60.0
    """For a quick one."""
    stop_seconds: float = 3.0
    """For ending by itself, when it was asked to."""
    look_seconds: float = 0.25
    """Between two looks at clock and memory."""
    quick_waiting: int = 1000
    """Quick errands that may wait."""
    desk_waiting: int = 64
    """Quick errands of one desk that may wait."""

    @classmethod
    def of(cls, limits: LimitOptions) -> Self:
        """The bounds that the options of the page stand for.

        Raises:
            UsageError: for a ``max_memory`` that is no size.
        """
        memory = _memory(limits)
        return cls(
            jobs=limits.jobs,
            waiting=limits.waiting,
            memory=memory,
            kept_memory=min(_GIBIBYTE, memory // 2),
            long_seconds=limits.time_limit,
        )


def _memory(limits: LimitOptions) -> int:
    """What was asked for, or a fair share of what is free, less what the server needs."""
    from segmint.datasets.available_memory import available_memory
    from segmint.inference.memory_limit import MemoryLimit

    if limits.max_memory is not None:
        return MemoryLimit.of(limits.max_memory).total
    free = (available_memory() or 0) - _GIBIBYTE
    return max(_GIBIBYTE, free // (limits.jobs + Bounds.quick_jobs))
