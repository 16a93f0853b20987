"""Where the work on images is done: in the command itself, or by the workers of an engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.cli import console
from segmint.cli.collection_job import CollectionJob
from segmint.cli.collection_report import reported
from segmint.cli.engine_workers import check_workers, local_workers, workers_of
from segmint.cli.inputs import EngineOptions
from segmint.cli.work import Spread, WritePage, output_folder, run_over_images
from segmint.devices import use_threads
from segmint.engines.conducting import conduct
from segmint.engines.item import Item
from segmint.engines.job import Job
from segmint.engines.leftovers import remove_leftovers
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_header import Header
from segmint.engines.tally import Tally
from segmint.errors import SegmintError, UsageError

if TYPE_CHECKING:
    from segmint.cli.scenes import ScenesByWindow
    from segmint.engines.collection import Collection
    from segmint.engines.workers import Workers

MOST_DONE_HERE = 8
"""Images that the command does itself unless workers are asked for: starting these takes longer."""


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
        remove_leftovers(out)
        begun = replace(
            job, begun=manifest.begun, inputs=replace(options, overwrite=manifest.replaces)
        )
        tally = Tally(total=manifest.total, before=manifest.before)
        with (
            reported(tally, manifest, options, write_page),
            console.watching(quiet=options.quiet) as (watch, tell),
            workers_of(
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
    return windows is not None and any(_is_scene(windows, item) for item in items)


def _is_scene(windows: ScenesByWindow, item: Item) -> bool:
    """Whether an image is done window by window; what cannot be read fails when it is done."""
    try:
        return windows.takes(Path(item.image))
    except (SegmintError, OSError):
        return False


def _spread(job: CollectionJob, engine: EngineOptions) -> Spread:
    """Who answers the windows of an image that does not fit into the memory."""
    from segmint.engines.scene_spreading import spread

    out = Path(job.inputs.out)

    def make_workers(scene: Job) -> Workers:
        return workers_of(scene, job, engine, out=out)

    return spread(make_workers, fit=job.fit_elsewhere, tell=console.say)


def _check(engine: EngineOptions) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: names them.
    """
    if engine.address is not None and engine.engine != "ray":
        raise UsageError("--address is that of a Ray cluster: give --engine ray, too")
    check_workers(engine)
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
