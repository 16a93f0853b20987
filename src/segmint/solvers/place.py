"""Which of the processes that share a training this one is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of the processes that share a training."""

    rank: int = 0
    """Its number, from 0; that one writes the files."""
    world: int = 1
    """How many there are."""
    launched: bool = False
    """A launcher has started the processes, so that each of them does all that the first does."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and tells the watcher."""
        return self.rank == 0
