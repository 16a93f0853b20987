"""Workers that are processes on this machine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from segmint.engines.item import Item
from segmint.engines.job import Job, Seat
from segmint.engines.worker_process import GRACE, work
from segmint.engines.workers import Died, Event, Refused, Retired
from segmint.forking import process_context, without_script

_PATIENCE = 5.0
"""Seconds that a process gets to be gone after its line is broken."""
_AT_ONCE = 64
"""Messages read from one process before the next is listened to."""


@dataclass(slots=True)
class _Process:
    place: int
    """Of those that there are at once, which decides on the device."""
    line: Connection
    process: BaseProcess
    is_torn: bool = False
    """Whether a message may have been read by half, because an interrupt came meanwhile."""


class LocalWorkers:
    """Processes on this machine, each with a line on which it is given batches and reports.

    Args:
        job: that each of them opens.
        workers: at once.
        seat: threads of each.
        devices: of networks, given to the workers in turn; empty leaves it to the job's options.
        preload: modules that each begins with, where the system can do that.

    Example:
        >>> from segmint.engines.job import Seat
        >>> LocalWorkers(object(), workers=2, seat=Seat()).place
        '2 processes'
    """

    def __init__(
        self,
        job: Job,
        *,
        workers: int,
        seat: Seat,
        devices: Sequence[str | None] = (),
        preload: Sequence[str] = (),
    ) -> None:
        self._job, self._count, self._preload = job, workers, preload
        self._seat = dataclasses.replace(seat, workers=workers)
        self._devices = devices or (seat.device,)
        self._context: BaseContext | None = None
        self._processes: dict[int, _Process] = {}
        self._leaving: list[_Process] = []
        self._pending: list[Event] = []
        self._hired = 0

    def __enter__(self) -> Self:
        """Let what starts the processes begin to import."""
        self._context = process_context([work.__module__, *self._preload])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave no process behind."""
        _end([*self._leaving, *self._processes.values()])
        self._leaving.clear()
        self._processes.clear()

    @property
    def place(self) -> str:
        """Where work is done, for people."""
        return f"{self._count} process{'es' if self._count != 1 else ''}"

    def room(self) -> int:
        """How many workers there can be at once."""
        return self._count

    def hire(self) -> int:
        """Begin to start a process."""
        worker, self._hired = self._hired, self._hired + 1
        try:
            self._start(worker)
        except (OSError, EOFError) as error:
            self._pending.append(Died(worker=worker, reason=str(error), by_itself=True))
        return worker

    def give(self, worker: int, items: Sequence[Item]) -> None:
        """Send a batch; of a process that has just died more is heard soon."""
        if worker in self._processes:
            with suppress(OSError):
                self._processes[worker].line.send(list(items))

    def events(self, timeout: float) -> Sequence[Event]:
        """What the processes have said, and which of them are no more."""
        events, self._pending = self._pending, []
        ready = set(wait(self._signs(), 0 if events else timeout))
        for worker, each in list(self._processes.items()):
            is_gone = each.process.sentinel in ready
            if is_gone or each.line in ready:
                events.extend(self._heard(worker, is_gone=is_gone))
        return events

    def dismiss(self, worker: int) -> None:
        """Tell a process to end, without waiting until it has."""
        if worker in self._processes:
            leaving = self._processes.pop(worker)
            leaving.process.terminate()
            self._leaving.append(leaving)

    def _signs(self) -> list[Connection | int]:
        """What to wait for: words, and ends."""
        signs: list[Connection | int] = []
        for each in self._processes.values():
            if not each.is_torn:
                signs += [each.line, each.process.sentinel]
        return signs

    def _start(self, worker: int) -> None:
        assert self._context is not None, "workers are hired within their with block"
        taken = {each.place for each in self._processes.values()}
        place = next(place for place in range(len(taken) + 1) if place not in taken)
        device = self._devices[place % len(self._devices)]
        line, far_end = self._context.Pipe()
        process: BaseProcess = self._context.Process(  # type: ignore[attr-defined]
            target=work,
            args=(far_end, worker, dataclasses.replace(self._seat, device=device)),
            daemon=True,
        )
        with without_script(), far_end:
            process.start()
        self._processes[worker] = _Process(place, line, process)
        with suppress(OSError):
            line.send(self._job)

    def _heard(self, worker: int, *, is_gone: bool) -> list[Event]:
        """What a process has said, to the end if it is gone."""
        events: list[Event] = []
        process = self._processes[worker]
        line, process.is_torn = process.line, True
        try:
            while line.poll() and len(events) < _AT_ONCE:
                events.append(line.recv())
            is_over = is_gone and not line.poll()
        except (EOFError, OSError):
            is_over = True
        process.is_torn = False
        said_so = bool(events) and isinstance(events[-1], Refused | Retired | Died)
        if is_over and not said_so:
            events.append(Died(worker=worker, reason=self._ending(worker), by_itself=True))
        if is_over or said_so:
            _end([self._processes.pop(worker)])
        return events

    def _ending(self, worker: int) -> str:
        """How a process ended, whose line is broken."""
        process = self._processes[worker].process
        process.join(_PATIENCE)
        code = process.exitcode
        if code is None:
            return "its line broke"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _end(processes: Sequence[_Process]) -> None:
    """End processes, and give them time to remove half files."""
    for each in processes:
        each.process.terminate()
    end = time.monotonic() + GRACE
    for each in processes:
        each.process.join(max(0.0, end - time.monotonic()))
        each.process.kill()
        each.process.join()
        each.process.close()
        each.line.close()
