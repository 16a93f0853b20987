"""The report of a training that runs: written anew now and then, and once more where it fails.

with live_report("run", watch) as live:
    train("unet", "CamVid", out="run", watch=live)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segmint.errors import SegmintError
from segmint.recipes.run_folder import REPORT
from segmint.reports.data_survey import Survey, survey
from segmint.reports.page import Section, write_page
from segmint.reports.run_data import data_section
from segmint.reports.run_findings import Findings
from segmint.reports.run_page import run_page
from segmint.reports.run_standing import DIARY, FAILED, Standing, interrupted, running
from segmint.reports.unfinished_run import UnfinishedRun
from segmint.runs import versions
from segmint.solvers.learning_task import Row
from segmint.solvers.watcher import Watcher

SECONDS_BETWEEN = 30.0
"""From one page to the next."""

MOST_SHARE = 0.01
"""Of the time of the training that its pages may take."""

_GUESS = 0.3
"""Seconds that the first page is taken to need."""


class LiveReport:
    """A watcher that writes ``report.html`` at the ends of epochs, seldom enough to cost nothing.

    A page that cannot be written never ends a training: it says so once, and writes no more.

    Args:
        folder: of the run.
        watch: is told everything, too.
        say: told why there are no pages, where there are none.
        clock: seconds.
    """

    def __init__(
        self,
        folder: str | Path,
        watch: Watcher | None = None,
        *,
        say: Callable[[str], None] = lambda line: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._folder = Path(folder)
        self._watch, self._say, self._clock = watch, say, clock
        self._start = self._written = clock()
        self._spent, self._latest = 0.0, _GUESS
        self._epochs, self._is_last = 0, False
        self._seconds_left: float | None = None
        self._run: UnfinishedRun | None = None
        self._data: Section | None = None
        self._works = True
        self.looked: Survey | None = None
        """At what is learned from, once a page was written."""

    @property
    def spent(self) -> float:
        """Seconds that pages have taken."""
        return self._spent

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        """After each step."""
        self._seconds_left = seconds_left
        self._is_last = done >= total
        if self._watch is not None:
            self._watch.step(done, total, seconds_left, loss)

    def epoch(self, row: Row, line: str) -> None:
        """After each epoch."""
        if self._watch is not None:
            self._watch.epoch(row, line)
        self._epochs += 1
        if self._works and not self._is_last and self._is_due():
            each = (self._clock() - self._start) / self._epochs
            self._write(
                lambda run: running(run, seconds_left=self._seconds_left, epoch_seconds=each)
            )

    def ended(self, reason: str, *, diary: bool = False) -> None:
        """Say on the page why the training has stopped, where it had begun.

        Args:
            reason: goes on from "It ...".
            diary: write it into ``log.txt``, too, for a report that is made later.
        """
        if not self._epochs:
            return  # the folder may hold an earlier run again
        if diary:
            self._try(lambda: _append(self._folder / DIARY, reason))
        self._write(lambda run: interrupted(run, reason=reason))

    def _is_due(self) -> bool:
        now = self._clock()
        cost = self._spent + self._latest
        return now - self._written >= SECONDS_BETWEEN and cost <= MOST_SHARE * (now - self._start)

    def _write(self, standing: Callable[[UnfinishedRun], Standing]) -> None:
        start = self._clock()
        self._try(lambda: self._write_page(standing))
        self._written = self._clock()
        self._latest = self._written - start
        self._spent += self._latest

    def _write_page(self, standing: Callable[[UnfinishedRun], Standing]) -> None:
        if self._run is None:
            self._run = UnfinishedRun(self._folder)
            self._run.record["versions"] = versions()
            train = self._run.train_split
            self.looked = None if train is None else survey(train)
            self._data = data_section(self._run.record, self.looked)
        self._run.update()
        found = Findings(
            run=self._run,
            note=self._run.note,
            data=self._data,
            standing=standing(self._run),
        )
        write_page(self._folder / REPORT, run_page(found, None))

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (whatever a page meets, the training goes on)
            self._works = False
            self._say(f"note: there is no report while it learns ({error})")


@contextmanager
def live_report(
    folder: str | Path, watch: Watcher | None = None, *, say: Callable[[str], None] | None = None
) -> Iterator[LiveReport]:
    """A :class:`LiveReport` that says on its page why a training stopped before its end."""
    live = LiveReport(folder, watch, say=say or (lambda line: None))
    try:
        yield live
    except KeyboardInterrupt:
        live.ended("was stopped")
        raise
    except (SegmintError, MemoryError) as error:
        live.ended(f"{FAILED}{error or 'not enough memory'}", diary=True)
        raise


def _append(diary: Path, line: str) -> None:
    with diary.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
