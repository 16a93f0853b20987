"""Processes for one kind of errands, and the errands that wait for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from segmint.app.crew import failures
from segmint.app.crew.bounds import Bounds
from segmint.app.crew.inbox import is_last
from segmint.app.crew.job import Job
from segmint.app.crew.messages import Ended, Sign, Trace
from segmint.app.crew.worker import Worker
from segmint.app.errand import Told

_LOG = logging.getLogger(__name__)

_TRIES = 2
"""Of an errand whose process died before it began."""

_SECONDS_BETWEEN_STARTS = 1.0
"""Where processes end before they are ready."""

Heard = Callable[[Worker, Any], None]


class Pool:
    """So many processes and one queue; a process that ends is replaced.

    Args:
        size: processes.
        quick: whether for quick errands.
        bounds: what each errand may take.
        start: starts a process that says what it has to say to the given function.
    """

    def __init__(
        self, size: int, *, quick: bool, bounds: Bounds, start: Callable[[Heard], Worker]
    ) -> None:
        self.restarted = 0
        """Processes that took the place of others."""
        self._quick, self._bounds, self._start = quick, bounds, start
        self._waiting: deque[Job] = deque()
        self._workers = [start(self._hear) for _ in range(size)]
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many errands wait."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """How many errands are worked on."""
        return sum(worker.job is not None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Of the processes that are ready or work."""
        return [worker.pid for worker in self._workers if worker.is_ready and worker.pid]

    def jobs_of(self, desk: str) -> list[Job]:
        """What waits or runs for a desk."""
        return [job for job in self._jobs() if job.desk == desk]

    def waiting_of(self, desk: str) -> int:
        """How many errands of a desk wait."""
        return sum(job.desk == desk for job in self._waiting)

    def take(self, job: Job) -> None:
        """Have a job done when its turn comes."""
        self._waiting.append(job)
        self._hand_out()

    def stop(self, job: Job) -> None:
        """Ask a job to end with what it has; one that waits ends now."""
        worker = self._worker_of(job)
        if worker is None:
            self.end(job, failures.stopped())
        elif job.stop_by is None:
            job.stop_by = time.monotonic() + self._bounds.stop_seconds
            worker.stop()

    def end(self, job: Job, verdict: Told) -> None:
        """End a job at once; its last word comes when its process is no more."""
        worker = self._worker_of(job)
        if worker is not None:
            if job.verdict is None:
                job.verdict = verdict
                worker.kill()
        elif job in self._waiting:
            self._waiting.remove(job)
            job.tell(verdict)
            self._tell_places()

    def look(self) -> None:
        """End what takes more than it may."""
        for worker in self._workers:
            if worker.job is not None and worker.job.verdict is None:
                verdict = self._verdict(worker.job, worker.memory())
                if verdict is not None:
                    self.end(worker.job, verdict)

    async def close(self) -> None:
        """End everything; no process is left."""
        self._closed = True
        for job in list(self._jobs()):
            self.end(job, failures.closed())
        workers = list(self._workers)
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.released.wait() for worker in workers))

    def _jobs(self) -> Iterator[Job]:
        yield from self._waiting
        yield from (worker.job for worker in self._workers if worker.job is not None)

    def _worker_of(self, job: Job) -> Worker | None:
        return next((worker for worker in self._workers if worker.job is job), None)

    def _hand_out(self) -> None:
        """Give those who wait to the processes that wait, and tell the others their places."""
        idle = [worker for worker in self._workers if worker.is_idle]
        while idle and self._waiting:
            job = self._waiting.popleft()
            worker = min(idle, key=lambda worker: worker.strangeness(job.desk))
            idle.remove(worker)
            worker.give(job)
        self._tell_places()

    def _tell_places(self) -> None:
        for ahead, job in enumerate(self._waiting, self.busy):
            job.tell_place(ahead)

    def _verdict(self, job: Job, memory: int) -> Told | None:
        now, bounds = time.monotonic(), self._bounds
        seconds = bounds.quick_seconds if self._quick else bounds.long_seconds
        if job.stop_by is not None and now >= job.stop_by:
            return failures.stopped()
        if now - job.started >= seconds:
            return failures.too_slow(seconds, quick=self._quick)
        if memory > bounds.memory:
            return failures.too_large(memory, bounds.memory)
        return None

    def _hear(self, worker: Worker, message: Any) -> None:
        """What a process says."""
        if isinstance(message, Ended):
            self._replace(worker, message.code)
        elif isinstance(message, Trace):
            _LOG.error("an errand failed unexpectedly\n%s", message.text)
        elif message is Sign.READY:
            worker.welcome()
            self._hand_out()
        elif worker.job is not None:
            if message is Sign.BEGUN:
                worker.job.begun = True
            else:
                self._pass_on(worker, worker.job, message)

    def _pass_on(self, worker: Worker, job: Job, told: Told) -> None:
        if is_last(told):
            if job.verdict is not None:  # its process is being killed: that is its last word
                return
            worker.job = None
            if worker.memory() > worker.memory_at_start + self._bounds.kept_memory:
                worker.kill()
        job.tell(told)
        self._hand_out()

    def _replace(self, worker: Worker, code: int | None) -> None:
        """Have another process in the place of one that has ended."""
        self._workers.remove(worker)
        job, worker.job = worker.job, None
        worker.release()
        if job is not None:
            self._settle(job, code)
        if self._closed:
            return
        self.restarted += 1
        if worker.was_ready:
            self._add()
        else:
            self._add_later(code)
        self._hand_out()

    def _settle(self, job: Job, code: int | None) -> None:
        """Tell the last word of a job whose process has ended, or let it wait once more."""
        blameless = not job.begun and job.stop_by is None
        if job.verdict is None and blameless and job.tries < _TRIES:
            self._waiting.appendleft(job)
            return
        if job.verdict is None:
            _LOG.warning("the process of the errand %s ended: %s", job.request.entry.name, code)
        job.tell(job.verdict or failures.died(code))

    def _add(self) -> None:
        if not self._closed:
            self._workers.append(self._start(self._hear))

    def _add_later(self, code: int | None) -> None:
        """Try again in a while; those who wait are told if there is no other process."""
        _LOG.error("a process for errands could not be started: %s", code)
        if not self.pids:
            for job in list(self._waiting):
                self.end(job, failures.not_started(code))
        asyncio.get_running_loop().call_later(_SECONDS_BETWEEN_STARTS, self._add)
