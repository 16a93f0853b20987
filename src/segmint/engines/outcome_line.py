"""How a process tells what it has done: at once, but not in a message for every trifle."""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from segmint.engines.outcome import Outcome
from segmint.engines.workers import Reported

_HELD_BACK = 0.05
"""Seconds that an outcome may wait for others to go with it."""


class OutcomeLine:
    """The end of a line on which a worker reports.

    Args:
        line: to the driver.
        worker: its number.
    """

    def __init__(self, line: Connection, worker: int) -> None:
        self._line, self._worker = line, worker
        self._held: list[Outcome] = []
        self._sent = 0.0
        self._lock, self._news = threading.Lock(), threading.Event()
        self._error: Exception | None = None
        threading.Thread(target=self._send_what_waits, daemon=True).start()

    def tell(self, outcome: Outcome) -> None:
        """Report an item; soon, where the last report was a moment ago."""
        with self._lock:
            self._held.append(outcome)
            if time.monotonic() - self._sent >= _HELD_BACK:
                self._send()
            else:
                self._news.set()

    def flush(self, *, finished: bool = False) -> None:
        """Report what was held back, and perhaps that the batch is over."""
        with self._lock:
            if self._held or finished:
                self._send(finished=finished)

    def _send(self, *, finished: bool = False) -> None:
        if self._error is not None:
            raise self._error
        outcomes, self._held = self._held, []
        self._line.send(Reported(worker=self._worker, outcomes=outcomes, finished=finished))
        self._sent = time.monotonic()

    def _send_what_waits(self) -> None:
        """In a thread of its own, for the next item may take long."""
        while self._error is None:
            self._news.wait()
            time.sleep(_HELD_BACK)
            self._news.clear()
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 (it is raised where work is done)
                self._error = error
