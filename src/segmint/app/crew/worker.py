"""A process as the server sees it: started, given work, listened to, killed."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from segmint.app.crew.job import Job
from segmint.app.crew.messages import Ended, Sign
from segmint.app.crew.process import work
from segmint.forking import without_script

_PATIENCE = 10.0
"""Seconds that a process gets to end after its line is broken."""

_STARTING = threading.Lock()
"""Starting a process asks how others ended, which they are asked by their own threads, too."""


class Worker:
    """One process with its line and a thread that listens; its methods are for the event loop.

    Args:
        context: starts it.
        threads: of its arithmetic.
        heard: called in the event loop with this worker and each thing that its process says;
            ``Ended`` is the last.
    """

    def __init__(
        self, context: BaseContext, *, threads: int, heard: Callable[[Worker, Any], None]
    ) -> None:
        self.job: Job | None = None
        self.is_ready = False
        """Whether it can be given work, or works."""
        self.was_ready = False
        self.memory_at_start = 0
        self.released = asyncio.Event()
        self._line, self._far_end = context.Pipe()
        self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=work, args=(self._far_end, threads), daemon=True
        )
        self._started = self._killed = False
        self._last_desk: str | None = None
        self._last_given = 0.0
        self._heard, self._loop = heard, asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether it waits for work."""
        return self.is_ready and self.job is None

    @property
    def pid(self) -> int | None:
        """Of the process, when it has started."""
        return self._process.pid if self._started else None

    def welcome(self) -> None:
        """Note that the process has said it is ready."""
        self.is_ready = self.was_ready = not self._killed
        self.memory_at_start = self.memory()

    def strangeness(self, desk: str) -> tuple[bool, float]:
        """Least for the process that still holds the image of a desk, then for the longest idle."""
        return desk != self._last_desk, self._last_given

    def give(self, job: Job) -> None:
        """Let it do a job; a process that has just died is heard of soon."""
        self.job, self._last_desk = job, job.desk
        self._last_given = job.started = time.monotonic()
        job.begun, job.tries = False, job.tries + 1
        self._send(job.request)

    def stop(self) -> None:
        """Ask it to end its job with what it has."""
        self._send(Sign.STOP)

    def kill(self) -> None:
        """End the process, now or as soon as it has started."""
        self.is_ready, self._killed = False, True
        if self._started:
            self._process.kill()

    def memory(self) -> int:
        """Bytes that the process holds; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def release(self) -> None:
        """Let go of what the process held here, after it has ended."""
        self.is_ready = False
        self._thread.join()
        self._line.close()
        if self._started:
            self._process.close()
        self._started = False
        self.released.set()

    def _send(self, message: Any) -> None:
        with suppress(OSError):
            self._line.send(message)

    def _listen(self) -> None:
        """In a thread of its own: start the process, and pass on what it says until its end."""
        try:
            with _STARTING, without_script():
                self._process.start()
            self._started = True
        except (OSError, EOFError):
            self._pass_on(Ended(None))
            return
        finally:
            self._far_end.close()
        if self._killed:
            self._process.kill()
        self._pass_on_all()
        self._pass_on(Ended(self._exit_code()))

    def _exit_code(self) -> int | None:
        """How the process ended, whose line is broken."""
        wait([self._process.sentinel], _PATIENCE)
        with _STARTING:
            if self._process.is_alive():
                self._process.kill()
            self._process.join()
            return self._process.exitcode

    def _pass_on_all(self) -> None:
        """Everything the process says, also what it said right before it ended."""
        with suppress(EOFError, OSError):
            while self._line in wait([self._line, self._process.sentinel]):
                self._pass_on(self._line.recv())

    def _pass_on(self, message: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed before the crew
            self._loop.call_soon_threadsafe(self._heard, self, message)
