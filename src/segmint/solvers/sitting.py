"""One sitting of a training: from its start, or from where the last one was cut off."""

from __future__ import annotations

import torch

from segmint.errors import InputError
from segmint.solvers.best_networks import keep_best_networks
from segmint.solvers.checkpoints import (
    BEST,
    FOLDER,
    LAST,
    Checkpoint,
    check_fits,
    copy_checkpoint,
    read_checkpoint,
)
from segmint.solvers.clock import Clock
from segmint.solvers.epoch_end import EpochEnd
from segmint.solvers.job import Job, Place
from segmint.solvers.progress import Progress
from segmint.solvers.watcher import Watcher


def learn(job: Job, place: Place, *, watch: Watcher | None = None) -> Progress:
    """Do what is left of a training in this process.

    Args:
        job: of the training; its task is changed in place.
        place: of this process in it.
        watch: told of each step and epoch.

    Raises:
        InputError: when a loss is no number, or the checkpoint cannot be gone on from.
    """
    checkpoint = _last(job)
    progress = Progress()
    if checkpoint is not None:
        progress = Progress.from_facts(checkpoint.facts["progress"])
        job.task.load_state_dict(checkpoint.task)
    if place.is_first:
        _tidy(job, progress, checkpoint)
    clock = Clock(progress.seconds, job.training.max_seconds)
    epoch_end = EpochEnd(job, place, progress=progress, clock=clock, watch=watch)
    if progress.is_over(job.extent, job.training):
        epoch_end.close()
        return progress
    from segmint.solvers.lightning_trainer import run_loop
    from segmint.solvers.training_module import TrainingModule

    module = TrainingModule(
        job,
        place,
        progress=progress,
        clock=clock,
        epoch_end=epoch_end,
        checkpoint=checkpoint,
        watch=watch,
    )
    gpus = [job.device] if job.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=gpus):
            run_loop(module, job, place)
    finally:
        epoch_end.close()
    return progress


def _last(job: Job) -> Checkpoint | None:
    """The checkpoint to go on from, which must be of the same training."""
    path = job.folder / LAST
    if not (job.resume and path.exists()):
        return None
    checkpoint = read_checkpoint(path)
    check_fits(path, checkpoint.task, job.task.state_dict())
    for name, value in job.fixed().items():
        former = checkpoint.facts["fixed"].get(name)
        if former != value:
            raise InputError(
                f"{path} was made with {name} {former!r}, now it is {value!r}: go on with the same "
                "options, or train from the start"
            )
    return checkpoint


def _tidy(job: Job, progress: Progress, checkpoint: Checkpoint | None) -> None:
    """Undo what the end of the last sitting may have left half done."""
    for pattern in (f"{FOLDER}/.partial-*", ".partial-*.csv", ".partial-*.txt"):
        for leftover in job.folder.glob(pattern):
            leftover.unlink(missing_ok=True)
    if progress.best_step and progress.best_step == progress.step:
        copy_checkpoint(job.folder / LAST, job.folder / BEST)
    if checkpoint is not None:
        keep_best_networks(job, progress, checkpoint)
