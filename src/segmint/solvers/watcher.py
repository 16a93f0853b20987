"""Who is told how a training goes."""

from __future__ import annotations

from typing import Protocol

from segmint.solvers.learning_task import Row


class Watcher(Protocol):
    """Called while a network learns; it decides itself how often it shows something."""

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        """After each step.

        Args:
            done: steps so far.
            total: steps of the whole run; time, patience or the task may end it sooner.
            seconds_left: an estimate, once there is one.
            loss: of the latest batch that is known, which may be that of the step before.
        """

    def epoch(self, row: Row, line: str) -> None:
        """After each epoch.

        Args:
            row: what ``log.csv`` says of it.
            line: what ``log.txt`` says of it.
        """
