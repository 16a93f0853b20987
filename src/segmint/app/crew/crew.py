"""The processes that do what takes time, memory or files from visitors.

The server stays up whatever an image does to one of them, and its memory comes back.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from segmint.app.crew import failures
from segmint.app.crew.bounds import Bounds
from segmint.app.crew.job import Job
from segmint.app.crew.launching import PRELOADED
from segmint.app.crew.messages import Request
from segmint.app.crew.pool import Heard, Pool
from segmint.app.crew.worker import Worker
from segmint.app.errand import Errand, Told, errands
from segmint.app.options import LimitOptions
from segmint.errors import InputError, UsageError
from segmint.forking import process_context
from segmint.registry import Registry


@dataclass(frozen=True, kw_only=True)
class CrewStatus:
    """How much there is to do."""

    busy: int
    """Errands that are worked on."""
    waiting: int
    """Errands that wait."""
    restarted: int
    """Processes that took the place of others."""
    pids: tuple[int, ...]
    """Of the processes that are ready or work."""


class Crew:
    """Processes for long errands, others for quick ones, and the queues before them.

    Long errands of a desk come one at a time. All methods are for the thread of the event loop.

    Args:
        limits: what visitors may ask for.
        threads: of the arithmetic of each process; 0 shares the processors among the long ones.
        preload: modules that each process begins with, where the system can do that.
        registry: where the functions of errands are.
        bounds: in place of those that the limits stand for.

    Raises:
        UsageError: for a ``max_memory`` that is no size.
    """

    def __init__(
        self,
        limits: LimitOptions,
        *,
        threads: int = 0,
        preload: Sequence[str] = PRELOADED,
        registry: Registry = errands,
        bounds: Bounds | None = None,
    ) -> None:
        self._bounds = bounds or Bounds.of(limits)
        self._threads = threads or max(1, _processors() // self._bounds.jobs)
        self._preload, self._registry = preload, registry
        self._pools: dict[bool, Pool] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let the processes start; errands may come at once, and wait until they have."""
        context = process_context(self._preload)

        def begin(heard: Heard) -> Worker:
            return Worker(context, threads=self._threads, heard=heard)

        for quick, size in ((False, self._bounds.jobs), (True, self._bounds.quick_jobs)):
            self._pools[quick] = Pool(size, quick=quick, bounds=self._bounds, start=begin)
        self._watch = asyncio.create_task(self._look())

    async def close(self) -> None:
        """End every errand and every process; does nothing the second time."""
        pools, self._pools = self._pools, {}
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await asyncio.gather(*(pool.close() for pool in pools.values()))

    async def run(self, errand: Errand, *, desk: str) -> AsyncGenerator[Told, None]:
        """Do an errand, and tell of it; to close the generator early ends the errand.

        Args:
            errand: what to do.
            desk: for whom.

        Yields:
            Told: ``waiting`` while others come first, and whenever the place changes; then what
                the errand tells, the newest if it is read slowly; last ``done`` or ``failed``,
                once. ``failed`` has the ``sentence``, whether it is of ``usage``, and its
                ``cause``: see ``failures.Cause``.
        """
        refusal = self._refusal(errand, desk)
        if refusal is not None:
            yield refusal
            return
        entry, pool = self._registry.entry(errand.name), self._pools[errand.quick]
        job = Job(request=Request(entry=entry, arguments=dict(errand.arguments)), desk=desk)
        pool.take(job)
        try:
            async with aclosing(job.inbox.read()) as tellings:
                async for told in tellings:
                    yield told
        finally:
            pool.end(job, failures.stopped())
            await job.over.wait()

    async def ask(self, errand: Errand, *, desk: str) -> Mapping[str, Any]:
        """Do an errand to its end.

        Returns:
            What its function returned.

        Raises:
            UsageError: with the sentence, if an option or value was wrong.
            InputError: with the sentence, if anything else was.
        """
        async with aclosing(self.run(errand, desk=desk)) as tellings:
            last = Told(kind="waiting")
            async for told in tellings:
                last = told
        if last.kind == "done":
            return last.data
        kind = UsageError if last.data["usage"] else InputError
        raise kind(last.data["sentence"])

    def stop(self, desk: str) -> None:
        """Ask the long errand of a desk to end with what it has; if it does not, it is killed."""
        if self._pools:
            for job in self._pools[False].jobs_of(desk):
                self._pools[False].stop(job)

    def drop(self, desk: str) -> None:
        """End all errands of a desk at once."""
        for pool in self._pools.values():
            for job in pool.jobs_of(desk):
                pool.end(job, failures.stopped())

    async def settled(self, desk: str) -> None:
        """Wait until nothing runs for a desk any more, so that its files may be deleted."""
        jobs = [job for pool in self._pools.values() for job in pool.jobs_of(desk)]
        await asyncio.gather(*(job.over.wait() for job in jobs))

    def status(self) -> CrewStatus:
        """How much there is to do."""
        pools = self._pools.values()
        return CrewStatus(
            busy=sum(pool.busy for pool in pools),
            waiting=sum(pool.waiting for pool in pools),
            restarted=sum(pool.restarted for pool in pools),
            pids=tuple(pid for pool in pools for pid in pool.pids),
        )

    def _refusal(self, errand: Errand, desk: str) -> Told | None:
        """Why an errand is not even queued."""
        if not self._pools:
            return failures.closed()
        try:
            self._registry.entry(errand.name)
        except UsageError as error:
            return failures.of_error(error)
        pool, bounds = self._pools[errand.quick], self._bounds
        if not errand.quick and pool.jobs_of(desk):
            return failures.engaged()
        crowd = bounds.quick_waiting if errand.quick else bounds.waiting
        pushes = errand.quick and pool.waiting_of(desk) >= bounds.desk_waiting
        return failures.crowded(pool.waiting) if pushes or pool.waiting >= crowd else None

    async def _look(self) -> None:
        """Hold clock and memory against the bounds, now and then."""
        while True:
            await asyncio.sleep(self._bounds.look_seconds)
            for pool in self._pools.values():
                pool.look()


def _processors() -> int:
    """Of the machine that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
