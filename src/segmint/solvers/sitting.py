"""One sitting of a training: from its start, or from where the last one was cut off."""

from __future__ import annotations

import torch

from segmint.errors import InputError
from segmint.solvers.agreement import agree
from segmint.solvers.best_networks import keep_best_networks
from segmint.solvers.checkpoints import BEST, FOLDER, LAST, Checkpoint, copy_checkpoint
from segmint.solvers.clock import Clock
from segmint.solvers.epoch_end import EpochEnd
from segmint.solvers.going_on import last_checkpoint
from segmint.solvers.job import Job
from segmint.solvers.place import Place
from segmint.solvers.progress import Progress
from segmint.solvers.watcher import Watcher


class LearningError(InputError):
    """Learning had begun, and led to nothing that can be kept."""


def learn(job: Job, place: Place, *, watch: Watcher | None = None) -> Progress:
    """Do what is left of a training in this process.

    Args:
        job: of the training; its task is changed in place.
        place: of this process in it.
        watch: told of each step and epoch.

    Raises:
        UsageError: when the processes were not asked for the same.
        InputError: when the checkpoint cannot be gone on from; nothing is written then.
        LearningError: when a loss is no number, or an image cannot be read.
    """
    if place.launched:
        agree(place, job.asked())
    checkpoint, progress = last_checkpoint(job, place) or (None, Progress())
    if checkpoint is not None:
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
    except InputError as error:
        raise LearningError(str(error)) from error
    finally:
        epoch_end.close()
    return progress


def _tidy(job: Job, progress: Progress, checkpoint: Checkpoint | None) -> None:
    """Undo what the end of the last sitting may have left half done."""
    for pattern in (f"{FOLDER}/.partial-*", ".partial-*.csv", ".partial-*.txt"):
        for leftover in job.folder.glob(pattern):
            leftover.unlink(missing_ok=True)
    if progress.best_step and progress.best_step == progress.step:
        copy_checkpoint(job.folder / LAST, job.folder / BEST)
    if checkpoint is not None:
        keep_best_networks(job, progress, checkpoint)
