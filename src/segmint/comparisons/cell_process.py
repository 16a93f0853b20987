"""What runs in the process of a cell: the cell, and a line to the comparison that started it.

Each cell has a process of its own, so that its memory is its own and its death kills no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Literal

from segmint.comparisons.option_words import words_of_set
from segmint.comparisons.plan import Comparison
from segmint.errors import SegmintError
from segmint.runs import write_text

if TYPE_CHECKING:
    from segmint.solvers.learning_task import Row

TRACE = "error.txt"
"""In the folder of the comparison: what an unexpected error was and where."""

SECONDS_BETWEEN_LINES = 60.0
"""Of a cell that takes long."""

_FAILURES = (
    *(RuntimeError, OSError, ValueError, LookupError),
    *(TypeError, ArithmeticError, AttributeError, ImportError),
)
"""What becomes the failure of one cell, with its kind, because nobody raised it on purpose."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a process is to do."""

    comparison: Comparison
    label: str
    seed: int
    rehearsal: bool = False
    """Check everything that learning needs, and begin nothing."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a process tells."""

    kind: Literal["progress", "done", "failed"]
    text: str = ""


def work(errand: Errand, line: Connection) -> None:
    """Do an errand, and tell how it went; ends at once when the comparison is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the comparison decides what becomes of cells
    threading.Thread(target=_end_with_parent, daemon=True).start()
    line.send(_done(errand, _Telling(line)))


def _done(errand: Errand, telling: _Telling) -> Report:
    try:
        _do(errand, telling)
    except SegmintError as error:
        arm = errand.comparison.arm(errand.label)
        return Report(kind="failed", text=words_of_set(str(error), [arm]))
    except MemoryError:
        return Report(kind="failed", text="not enough memory: give a smaller batch or crop")
    except _FAILURES as error:
        reason = " ".join(str(error).split())
        text = f"unexpected {type(error).__name__}: {reason}{_kept_trace(errand)}"
        return Report(kind="failed", text=text)
    return Report(kind="done")


def _do(errand: Errand, telling: _Telling) -> None:
    from segmint.devices import use_threads

    comparison = errand.comparison
    use_threads(comparison.threads)
    if errand.rehearsal:
        from segmint.comparisons.recipe_cell import rehearse

        rehearse(comparison, errand.label)
    else:
        from segmint.comparisons.cell_work import run_cell

        run_cell(comparison, errand.label, errand.seed, watch=telling, say=telling.say)


def _kept_trace(errand: Errand) -> str:
    """Write where an unexpected error is from, and tell of it; a rehearsal writes nothing."""
    if errand.rehearsal:
        return ""
    path = errand.comparison.out / TRACE
    with suppress(SegmintError):
        write_text(path, traceback.format_exc())
    return f" ({path} says where)"


class _Telling:
    """Tells the comparison how a cell goes, not too often."""

    def __init__(self, line: Connection) -> None:
        self._line, self._said = line, time.monotonic()

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        from segmint.solvers.epoch_line import clock_time

        left = "" if seconds_left is None else f", {clock_time(seconds_left)} left"
        self.say(f"step {done} of {total}: loss {loss:.4f}{left}")

    def epoch(self, row: Row, line: str) -> None:
        self.say(line)

    def say(self, text: str) -> None:
        """Tell it if nothing was told for a while."""
        if time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            self._line.send(Report(kind="progress", text=text))


def _end_with_parent() -> None:
    """Wait until the comparison has ended, however it did, and end this process, too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
