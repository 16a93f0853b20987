"""What a training goes on from: files that must all be of it, before anything is learned."""

from __future__ import annotations

from pathlib import Path

from segmint.errors import InputError
from segmint.solvers.best_networks import read_best
from segmint.solvers.checkpoints import BEST, LAST, Checkpoint, check_fits, damaged, read_checkpoint
from segmint.solvers.job import Job
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.place import Place
from segmint.solvers.progress import Progress
from segmint.solvers.shared_checkpoint import shared_checkpoint
from segmint.solvers.training_facts import TrainingFacts
from segmint.solvers.weight_average import floating


def last_checkpoint(job: Job, place: Place) -> tuple[Checkpoint, Progress] | None:
    """The checkpoint to go on from, and how far that is; None to begin.

    Only the first process looks into the folder of the run, which the others may not see.

    Args:
        job: of the training.
        place: of this process in it.

    Raises:
        InputError: when a file is missing, damaged, or of another training.
    """
    checkpoint = shared_checkpoint(place, lambda: _read(job))
    if checkpoint is None:
        return None
    return checkpoint, TrainingFacts.read(job.folder / LAST, checkpoint.facts).progress


def check_task(path: Path, checkpoint: Checkpoint, task: LearningTask, *, averaged: bool) -> None:
    """Refuse a checkpoint whose tensors are not those of a task.

    Args:
        path: of the checkpoint, for the message.
        checkpoint: what was read.
        task: that shall get the weights.
        averaged: whether the training averages weights.

    Raises:
        InputError: says which are missing, unknown or of another shape.
    """
    check_fits(path, checkpoint.task, task.state_dict())
    check_fits(path, checkpoint.average, floating(task) if averaged else {})


def _read(job: Job) -> Checkpoint | None:
    """The last checkpoint, when it is of this job."""
    path = job.folder / LAST
    if not (job.resume and path.exists()):
        return None
    checkpoint = read_checkpoint(path)
    facts = TrainingFacts.read(path, checkpoint.facts)
    _check_same(path, facts, job)
    check_task(path, checkpoint, job.task, averaged=bool(job.training.ema))
    unknown = facts.progress.best_steps.keys() - job.task.monitors.keys()
    if unknown:
        raise damaged(path, f"it tells the best of {sorted(unknown)[0]!r}, which does not learn")
    _check_best(job, facts)
    return checkpoint


def _check_same(path: Path, facts: TrainingFacts, job: Job) -> None:
    """Refuse the checkpoint of a training with other options."""
    fixed = job.fixed()
    for name in {**fixed, **facts.fixed}:
        former, value = facts.fixed.get(name), fixed.get(name)
        if former != value:
            raise InputError(
                f"{path} was made with {name} {former!r}, now it is {value!r}: go on with the same "
                "options, or train from the start"
            )


def _check_best(job: Job, facts: TrainingFacts) -> None:
    """Refuse to go on where the best weights so far are lost.

    Those of the last checkpoint itself are not looked at: they are written anew from it.
    """
    progress = facts.progress
    if progress.best_step not in (0, progress.step):
        path, epoch = job.folder / BEST, progress.epoch_at(progress.best_step)
        if not path.exists():
            raise InputError(
                f"{path} does not exist, though epoch {epoch} was the best: bring it back, or "
                "train from the start"
            )
        checkpoint = read_checkpoint(path)
        best = TrainingFacts.read(path, checkpoint.facts)
        if best.progress.step != progress.best_step or best.fixed != facts.fixed:
            raise InputError(
                f"{path} is of epoch {best.progress.history[-1]['epoch']:.0f} of a training, but "
                f"epoch {epoch} of this one was the best: bring that back, or train from the start"
            )
        check_task(path, checkpoint, job.task, averaged=bool(job.training.ema))
    for name, step in progress.best_steps.items():
        if step != progress.step:
            read_best(job.task, job.folder, name, progress)
