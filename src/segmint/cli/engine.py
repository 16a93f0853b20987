"""Where the work on images is done: in the command itself, or by the workers of an engine."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.cli.collection_report import reported
from segmint.cli.collection_work import CollectionJob
from segmint.cli.console import counted
from segmint.cli.inputs import EngineOptions
from segmint.cli.work import Spread, WritePage, output_folder, run_over_images
from segmint.devices import use_threads
from segmint.engines.conducting import conduct
from segmint.engines.item import Item
from segmint.engines.job import Job, Seat
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_header import Header
from segmint.engines.tally import Tally
from segmint.errors import UsageError

if TYPE_CHECKING:
    from segmint.engines.collection import Collection
    from segmint.engines.workers import Workers

MOST_DONE_HERE = 8
"""Images that the command does itself unless workers are asked for: starting these takes longer."""

CORES_PER_WORKER = 4
"""More threads than this gain little on one image."""


def run_job(
    job: CollectionJob,
    items: Collection | list[Item],
    engine: EngineOptions,
    *,
    command: str,
    here: str | None = None,
    write_page: WritePage | None = None,
) -> int:
    """Do a job for every image, and say what came out.

    Args:
        job: what is done to each.
        items: the images; a list stands for one image of several files.
        engine: where.
        command: for the manifest: ``segment``, ``predict``.
        here: an option that only the command itself can serve, if one was given.
        write_page: shows the results of several images on one page; None writes none.

    Returns:
        Exit code: 1 when an image failed, else 0.
    """
    _check(engine)
    if isinstance(items, list) or here is not None or _is_small(engine, len(items)):
        if here is not None and _asks_for_workers(engine):
            raise UsageError(f"{here} is served by the command itself: give no options of workers")
        use_threads(job.how.threads)
        return run_over_images(job, [*items], write_page=write_page)
    if _is_one_scene(job, items, engine):
        use_threads(job.how.threads)
        sharers = local_workers(engine) if engine.engine == "local" else 1
        return run_over_images(replace(job, share=sharers), [*items], spread=_spread(job, engine))
    return _by_workers(job, items, engine, command=command, write_page=write_page)


def _by_workers(
    job: CollectionJob,
    items: Collection,
    engine: EngineOptions,
    *,
    command: str,
    write_page: WritePage | None,
) -> int:
    options = job.inputs
    first = next(iter(items), None)
    if first is not None:
        job.prepare(first)
    header = Header(
        command=command,
        identity=job.identity,
        collection=items.identity,
        count=items.whole,
        part=None if engine.part is None else items.part,
    )
    with (
        output_folder(Path(options.out)) as out,
        Manifest.open(
            out, header, items, overwrite=options.overwrite, accept_other=engine.accept_other
        ) as manifest,
    ):
        begun = replace(
            job, begun=manifest.begun, inputs=replace(options, overwrite=manifest.replaces)
        )
        tally = Tally(total=manifest.total, before=manifest.before)
        with (
            reported(tally, manifest, options, write_page),
            console.watching(quiet=options.quiet) as (watch, tell),
            _workers(
                begun, job, engine, out=out, first=None if first is None else first.image
            ) as workers,
        ):
            for note in items.notes:
                tell(f"note: {note}")
            most = engine.images_per_batch
            conduct(items, workers, manifest, tally=tally, most=most, watch=watch, tell=tell)
    return 1 if tally.failed else 0


def _is_one_scene(job: CollectionJob, items: Collection, engine: EngineOptions) -> bool:
    """Whether there are fewer images than workers, and one of them has windows to share out."""
    workers = engine.workers or (2 if engine.engine == "ray" else local_workers(engine))
    if len(items) >= workers:
        return False
    windows = job.by_window()
    return windows is not None and any(windows.takes(Path(item.image)) for item in items)


def _spread(job: CollectionJob, engine: EngineOptions) -> Spread:
    """Who answers the windows of an image that does not fit into the memory."""
    from segmint.engines.scene_spreading import spread

    out = Path(job.inputs.out)

    def make_workers(scene: Job) -> Workers:
        return _workers(scene, job, engine, out=out)

    return spread(make_workers, fit=job.fit_elsewhere, tell=console.say)


def _workers(
    given: Job, job: CollectionJob, engine: EngineOptions, *, out: Path, first: str | None = None
) -> Workers:
    """The workers of the engine, for a job or for the windows of one of its images."""
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


def _check(engine: EngineOptions) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: names them.
    """
    if engine.address is not None and engine.engine != "ray":
        raise UsageError("--address is that of a Ray cluster: give --engine ray, too")
    if engine.engine == "local":
        _devices(engine, local_workers(engine))
    if engine.workers == 0 and _asks_for_workers(replace(engine, workers=None)):
        raise UsageError(
            "--workers 0 does all in the command itself: give no other option of workers with it"
        )


def _asks_for_workers(engine: EngineOptions) -> bool:
    """Whether any option was given that only workers serve."""
    return replace(engine, images_per_batch=EngineOptions().images_per_batch) != EngineOptions()


def _is_small(engine: EngineOptions, images: int) -> bool:
    if engine.workers == 0:
        return True
    return images <= MOST_DONE_HERE and not _asks_for_workers(engine)
