"""The processes that share a training: this one, and others, which it starts and ends itself."""

from __future__ import annotations

import copy
import multiprocessing
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import cast

import torch
import torch.distributed

from segmint.errors import InputError, SegmintError
from segmint.solvers.job import Job
from segmint.solvers.meeting import join, taking_part
from segmint.solvers.place import Place
from segmint.solvers.sitting import learn

START_METHOD = "spawn"
"""How the others are started: the one way that every system has."""

_READY = "ready"
_PATIENCE = 30.0
"""Seconds that the others get to end by themselves after a training that ended well."""
_TIMEOUT = timedelta(hours=2)
"""Of one process waiting for another."""

_FAILURES = (
    *(SegmintError, RuntimeError, OSError, MemoryError),
    *(ValueError, LookupError, TypeError, ArithmeticError, AttributeError),
)
"""What is told to the first process, which would else know of a broken line only."""


@contextmanager
def companions(job: Job) -> Iterator[Place]:
    """Within it, as many processes as the job asks for take part; each does the same job.

    Where a launcher has started them already, this one is in touch with the others. Else this one
    starts the others: an error in one of them is raised here, and none is left at the end.

    Raises:
        InputError: when a process cannot be started, or one of a launcher is lost.
    """
    with taking_part() as place:
        if place.launched or job.training.world == 1:
            yield place
            return
        with _started(job, job.training.world) as first:
            yield first


@contextmanager
def _started(job: Job, world: int) -> Iterator[Place]:
    """Within it this process is the first of several, of which it starts the others."""
    hook = sys.excepthook  # torch takes it over in processes that form a group
    with tempfile.TemporaryDirectory() as folder, _shared_threads(job, world) as threads:
        meeting = f"file://{folder}/meeting"
        others: list[_Companion] = []
        try:
            for rank in range(1, world):
                others.append(_Companion(job, rank, meeting, threads))
            for other in others:
                other.wait_until_ready()
            place = Place(rank=0, world=world)
            _join(job, place, meeting)
            yield place
            for other in others:
                other.process.join(_PATIENCE)
        except SegmintError:
            raise
        except Exception as error:
            for other in others:
                other.raise_reported(error)
            raise
        finally:
            for other in others:
                other.end()
            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
            sys.excepthook = hook


class _Companion:
    """Another process, and the line on which it tells what went wrong."""

    process: BaseProcess

    def __init__(self, job: Job, rank: int, meeting: str, threads: int) -> None:
        context = cast(SpawnContext, multiprocessing.get_context(START_METHOD))
        self._line, far_end = context.Pipe(duplex=False)
        place = Place(rank=rank, world=job.training.world)
        self.process = context.Process(
            target=_take_part, args=(job, place, meeting, threads, far_end), daemon=True
        )
        self.process.start()
        far_end.close()

    def wait_until_ready(self) -> None:
        """Return once it has everything it needs."""
        wait([self._line, self.process.sentinel])
        try:
            self._line.recv()
        except EOFError as error:
            raise InputError(
                "a process for --devices ended before it began; a script that trains with several "
                'needs `if __name__ == "__main__":` around what it runs'
            ) from error

    def raise_reported(self, error: Exception) -> None:
        """Raise what it told of an error of its own, in place of what that caused here."""
        self.process.join(1.0)
        if self._line.poll():
            raise self._line.recv() from error

    def end(self) -> None:
        """See to it that the process is gone."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.process.close()
        self._line.close()


def _take_part(job: Job, place: Place, meeting: str, threads: int, line: Connection) -> None:
    """What another process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which ends us
    torch.set_num_threads(threads)
    # Tensors that were sent are memory in common with the first process: each learns its own.
    job = replace(job, task=copy.deepcopy(job.task))
    if job.device.type == "cuda":
        job = replace(job, device=torch.device("cuda", place.rank))
    line.send(_READY)
    try:
        _join(job, place, meeting)
        learn(job, place)
        torch.distributed.destroy_process_group()
    except _FAILURES as error:
        told = RuntimeError(f"process {place.rank} failed:\n{traceback.format_exc()}")
        with suppress(OSError):  # the first process may be gone, so that nobody listens
            line.send(error if isinstance(error, SegmintError | MemoryError) else told)


def _join(job: Job, place: Place, meeting: str) -> None:
    join(place, gpus=job.device.type == "cuda", init_method=meeting, timeout=_TIMEOUT)


@contextmanager
def _shared_threads(job: Job, world: int) -> Iterator[int]:
    """Within it, this process leaves processor threads to the others; how many each has."""
    before = torch.get_num_threads()
    threads = max(before // world, 1) if job.device.type == "cpu" else before
    torch.set_num_threads(threads)
    try:
        yield threads
    finally:
        torch.set_num_threads(before)
