"""What is shown of a training while it runs: a bar with the time left, and a line an epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.solvers.epoch_line import clock_time

if TYPE_CHECKING:
    from segmint.solvers.learning_task import Row
    from segmint.solvers.watcher import Watcher

SECONDS_BETWEEN_LINES = 60.0
"""Of epochs that take long, where there is no bar."""

SECONDS_BETWEEN_UPDATES = 0.2


@contextmanager
def training_progress(*, quiet: bool) -> Iterator[Watcher | None]:
    """A bar on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as watcher:
            yield watcher
    else:
        yield _Lines()


class _Lines:
    """A line an epoch, and one a minute where epochs take longer."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        if time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            left = "" if seconds_left is None else f", {clock_time(seconds_left)} left"
            self._say(f"step {done} of {total}: loss {loss:.4f}{left}")

    def epoch(self, row: Row, line: str) -> None:
        self._say(line)

    def _say(self, line: str) -> None:
        console.say(line)
        self._said = time.monotonic()


class _Bar:
    """A bar over all steps; the lines of the epochs stand above it."""

    def __init__(
        self, update: Callable[[int, int, str, str], None], say: Callable[[str], None]
    ) -> None:
        self._update, self._print = update, say
        self._shown = 0.0

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        now = time.monotonic()
        if now - self._shown < SECONDS_BETWEEN_UPDATES and done < total:
            return
        self._shown = now
        left = "" if seconds_left is None else f"{clock_time(seconds_left)} left"
        self._update(done, total, f"loss {loss:.4f}", left)

    def epoch(self, row: Row, line: str) -> None:
        self._print(line)


@contextmanager
def _bar() -> Iterator[_Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("steps"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None, left="")

        def update(done: int, total: int, description: str, left: str) -> None:
            progress.update(task, completed=done, total=total, description=description, left=left)

        def say(line: str) -> None:
            progress.console.print(line, markup=False, highlight=False)

        yield _Bar(update, say)
