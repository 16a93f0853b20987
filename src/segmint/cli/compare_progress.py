"""What is shown of a comparison while it runs: a line a cell, with the time left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.cli.console import counted
from segmint.solvers.epoch_line import clock_time

if TYPE_CHECKING:
    from segmint.comparisons.cell import CellResult
    from segmint.comparisons.plan import Comparison


class CompareProgress:
    """Says how far a comparison is, and remembers what has run.

    Args:
        comparison: that runs.
        quiet: say nothing, failures apart.
    """

    def __init__(self, comparison: Comparison, *, quiet: bool) -> None:
        self.results: list[CellResult] = []
        self._comparison, self._quiet = comparison, quiet
        self._total = len(list(comparison.cells))
        self._before, self._start = 0, time.monotonic()
        self._noted: set[str] = set()

    def begin(self, finished: Sequence[CellResult]) -> None:
        """Everything is checked, and so many cells were finished before."""
        self.results = [*finished]
        self._before, self._start = len(finished), time.monotonic()
        for note in self._comparison.notes:
            self._say(f"note: {note}")
        if finished:
            self._say(f"{counted(len(finished), 'cell')} of {self._total} finished before, kept")

    def after(self, result: CellResult) -> None:
        """A cell has run."""
        self.results.append(result)
        where = f"[{len(self.results)}/{self._total}] {result.label}, seed {result.seed}"
        if result.failed:
            _told(console.complain, f"{where}: failed: {result.error}")
        else:
            self._say(f"{where}: {self._told(result)}{self._left()}")

    def note(self, text: str) -> None:
        """Something to know, said once."""
        if text not in self._noted:
            self._noted.add(text)
            _told(console.say, f"note: {text}")

    def tell(self, label: str, seed: int, text: str) -> None:
        """How a cell goes that takes long."""
        self._say(f"{label}, seed {seed}: {text}")

    def _told(self, result: CellResult) -> str:
        column = self._comparison.columns[0]
        first = next(iter(result.answers.values()))
        value = first.scores.get(column.name)
        score = "-" if value is None else f"{value:.{column.digits}f}"
        images = result.seconds_per_image * len(self._comparison.images)
        return f"{column.title} {score} in {clock_time(result.seconds + images)}"

    def _left(self) -> str:
        done, remaining = len(self.results) - self._before, self._total - len(self.results)
        if not remaining:
            return ""
        return f", about {clock_time((time.monotonic() - self._start) / done * remaining)} left"

    def _say(self, line: str) -> None:
        if not self._quiet:
            _told(console.say, line)


def _told(say: Callable[[str], None], line: str) -> None:
    """Say it if somebody listens; a comparison of hours does not end because nobody does."""
    try:
        if sys.stderr is not None:
            say(line)
    except (OSError, ValueError):
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
