"""How an errand's process tells the server, not too often."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection

from segmint.app.crew.messages import Sign
from segmint.app.errand import Told

SECONDS_BETWEEN: Mapping[str, float] = {"frame": 1 / 6, "progress": 1 / 5}
"""Two tellings of a kind; what comes sooner waits for the next, or gives way to it."""


class LineTelling:
    """The :class:`~segmint.app.errand.Telling` of an errand that a process works on.

    Args:
        line: to the server; nothing but ``Sign.STOP`` comes from there while an errand lasts.
    """

    def __init__(self, line: Connection) -> None:
        self._line, self._lock = line, threading.Lock()
        self._stopped = False
        self._held: dict[str, Told] = {}
        self._sent: dict[str, float] = {}

    @property
    def is_stopped(self) -> bool:
        """Whether the visitor asked to stop."""
        with self._lock, suppress(EOFError, OSError):
            while self._line.poll():
                self._stopped |= self._line.recv() is Sign.STOP
        return self._stopped

    def progress(self, done: int, total: int | None, text: str = "") -> None:
        """Tell how far it is."""
        self._tell(Told(kind="progress", data={"done": done, "total": total, "text": text}))

    def frame(self, labels: bytes, iteration: int, of: int | None) -> None:
        """Show labels as they are."""
        self._tell(Told(kind="frame", data={"labels": labels, "iteration": iteration, "of": of}))

    def flush(self) -> None:
        """Send what was held back."""
        with self._lock:
            for told in self._held.values():
                self._line.send(told)
            self._held.clear()

    def _tell(self, told: Told) -> None:
        with self._lock:
            self._held.pop(told.kind, None)
            now = time.monotonic()
            if now - self._sent.get(told.kind, -1.0) < SECONDS_BETWEEN[told.kind]:
                self._held[told.kind] = told
            else:
                self._sent[told.kind] = now
                self._line.send(told)
