"""The workers that the options of a command ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.cli.collection_job import CollectionJob
from segmint.cli.console import counted
from segmint.cli.inputs import EngineOptions
from segmint.engines.job import Job, Seat
from segmint.errors import UsageError

if TYPE_CHECKING:
    from segmint.engines.workers import Workers

CORES_PER_WORKER = 4
"""More threads than this gain little on one image."""

_MOST_PER_CORE = 4
"""Workers that a core is asked to carry."""


def check_workers(engine: EngineOptions) -> None:
    """Refuse more than this machine has.

    Raises:
        UsageError: for too many workers, or too few graphics cards.
    """
    if engine.engine != "local":
        return
    most = max(16, _MOST_PER_CORE * cores())
    if (engine.workers or 0) > most:
        raise UsageError(
            f"--workers is {engine.workers}, accepted with {counted(cores(), 'core')} are at most "
            f"{most}: give fewer, or the machines of a cluster with --engine ray"
        )
    _devices(engine, local_workers(engine))


def workers_of(
    given: Job, job: CollectionJob, engine: EngineOptions, *, out: Path, first: str | None = None
) -> Workers:
    """The workers of the engine, for a job or for the windows of one of its images.

    Args:
        given: what they are to do.
        job: of the images.
        engine: where.
        out: folder of the results.
        first: an image that all must see.
    """
    threads = job.how.threads
    if engine.engine == "ray":
        from segmint.engines.ray_workers import RayWorkers

        return RayWorkers(
            given,
            address=engine.address,
            workers=engine.workers,
            threads=threads or 1,
            gpus=engine.gpus_per_worker,
            out=out,
            first=first,
            tell=console.say,
        )
    from segmint.engines.local_workers import LocalWorkers

    count = local_workers(engine)
    seat = Seat(threads=threads or max(1, cores() // count), workers=count)
    return LocalWorkers(
        given, workers=count, seat=seat, devices=_devices(engine, count), preload=job.modules
    )


def local_workers(engine: EngineOptions) -> int:
    """How many processes work on this machine."""
    if engine.workers:
        return engine.workers
    if engine.gpus_per_worker:
        return max(1, int(_cards() / engine.gpus_per_worker))
    return max(1, cores() // CORES_PER_WORKER)


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _devices(engine: EngineOptions, workers: int) -> list[str]:
    """The graphics card of each worker of this machine; none where none was asked for.

    Raises:
        UsageError: when there are not enough.
    """
    share = engine.gpus_per_worker
    if not share:
        return []
    cards = _cards()
    if workers * share > cards:
        needed = f"{counted(workers, 'worker')} {'needs' if workers == 1 else 'need'}"
        raise UsageError(
            f"--gpus-per-worker is {share:g}, so {needed} {workers * share:g} graphics cards, and "
            f"this machine has {cards}: give fewer --workers or a smaller share"
        )
    return [f"cuda:{int(worker * share)}" for worker in range(workers)]


def _cards() -> int:
    import torch

    return torch.cuda.device_count()
