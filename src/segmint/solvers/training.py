"""The loop that every recipe learns by: one network or several, with or without labels."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError, UsageError
from segmint.solvers.best_networks import Best, best_networks
from segmint.solvers.checkpoints import BEST, FOLDER, LAST, read_checkpoint
from segmint.solvers.going_on import check_task
from segmint.solvers.job import Job
from segmint.solvers.launched import check_shape, check_world, launched
from segmint.solvers.learning_task import BatchSource, LearningTask, Row, ValidationSource
from segmint.solvers.meeting import TookPartError, own_device
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.place import Place
from segmint.solvers.processes import companions
from segmint.solvers.progress import Progress
from segmint.solvers.sitting import LearningError, learn
from segmint.solvers.training_options import TrainingOptions
from segmint.solvers.watcher import Watcher
from segmint.solvers.weight_average import use_average


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a training ended with; its weights are in the task."""

    history: tuple[Row, ...]
    """A row an epoch, as in ``log.csv``."""
    best_epoch: int
    """Whose weights were chosen; the last one where no validation chose."""
    best_score: float | None
    """Of that epoch, where a validation chose."""
    best: Mapping[str, Best]
    """Of each network that has a score of its own; :func:`use_best` loads those weights."""
    steps: int
    seconds: float
    """Of all sittings together."""
    stopped: str
    """Why it ended: ``epochs`` (or steps), ``max_time``, ``patience``, or ``enough``, which the
    task said."""


def fit(
    task: LearningTask,
    source: BatchSource,
    *,
    validation: ValidationSource | None = None,
    optimizer: OptimizerOptions,
    training: TrainingOptions,
    folder: Path,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    resume: bool = False,
    watch: Watcher | None = None,
) -> Fitted:
    """Learn until the options or the task say that it is enough.

    After each epoch ``checkpoints/last.ckpt``, ``log.csv`` and ``log.txt`` are written into the
    folder, ``checkpoints/best.ckpt`` when the score that the task names is the best so far, and
    ``checkpoints/best-NAME.ckpt`` when that of one of its networks is.
    Chance in a step depends on the seed and the number of the step alone, so a training that was
    cut off goes on, on a CPU, to bit for bit the same weights and table; only ``max_time`` looks at
    the clock, and counts all sittings together.

    With ``devices`` above 1 as many processes share each batch, and the loss is the mean of their
    losses, each weighed by what the task says that it counts. The others are started by Python's
    ``spawn``, so a script needs the usual ``if __name__ == "__main__"``, and task and sources can
    be pickled. Batch normalization looks at the images of its own process on the CPU, and at the
    whole batch on GPUs.

    Where torchrun or SLURM's srun has started this process, as many others are there already, on
    this machine or on several; each calls this function, and the first one alone sees the folder.

    Args:
        task: changed in place; at the end it holds the chosen weights, on the CPU after learning on
            a GPU, and is set to predict.
        source: of what is learned from.
        validation: images that choose the weights; None keeps the last ones.
        optimizer: how weights follow gradients.
        training: how long, and what is done on the way.
        folder: of the run; files of an earlier training are replaced.
        seed: of everything random in a step.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        resume: go on from the last checkpoint, where there is one.
        watch: told of each step and epoch.

    Raises:
        UsageError: for options that do not fit the machine or each other.
        InputError: when a checkpoint cannot be gone on from; then nothing is changed. Also when a
            process that a launcher has started is lost; then the last checkpoint stays.
        TookPartError: an InputError, at the end in the processes of a launcher but the first.
        LearningError: an InputError, when a loss is no number, or an image cannot be read.
        OutputError: when a file cannot be written.
        KeyboardInterrupt: when the user stops it; the checkpoint of the last epoch stays.
    """
    chosen = choose_device(device)
    if chosen.type == "cuda" and (launch := launched()) is not None:
        chosen = own_device(launch, chosen)
        torch.cuda.set_device(chosen)
    job = Job(
        task=task,
        source=source,
        validation=validation,
        optimizer=optimizer,
        training=training,
        folder=folder,
        seed=seed,
        device=chosen,
        dtype=choose_dtype(precision, chosen),
        resume=resume,
    )
    _check(job)
    with companions(job) as place:
        if place.is_first and not (resume and (folder / LAST).exists()):
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        progress = _learned(job, place, watch)
    _choose(job, progress)
    best = progress.best_step
    return Fitted(
        history=tuple(progress.history),
        best_epoch=job.extent.epoch_of(best or progress.step),
        best_score=progress.best_score if best else None,
        best=best_networks(job, progress),
        steps=progress.step,
        seconds=progress.seconds,
        stopped=progress.stopped,
    )


def _learned(job: Job, place: Place, watch: Watcher | None) -> Progress:
    """Learn; only the first process comes back, for it has everything in the folder."""
    if place.is_first:
        return learn(job, place, watch=watch)
    try:
        learn(job, place)
    except LearningError as error:
        raise InputError(str(error)) from error  # nothing is to be kept where the folder is not
    raise TookPartError(
        f"process {place.rank} of {place.world} took part in a training, whose first process has "
        f"the result in {job.folder}"
    )


def _check(job: Job) -> None:
    """Refuse what cannot be done before anything is written."""
    launch = launched()
    if launch is None:
        check_shape(job.training, launch)
    check_world(job.training, launch)
    devices, patience = job.training.devices, job.training.patience
    if job.source.steps_per_epoch < 1:
        raise InputError("the source has no batch: give it more images, or smaller batches")
    if patience and not job.chooses:
        raise UsageError(
            f"--patience is {patience}, but no validation gives a score to watch: give validation "
            "images or leave it out"
        )
    if devices == 1 or launch is not None or job.device.type == "cpu":
        return
    there = torch.cuda.device_count() if job.device.type == "cuda" else 1
    if devices > there:
        raise UsageError(
            f"--devices is {devices}, but this machine has {there}: ask for fewer, or take "
            "--device cpu"
        )


def _choose(job: Job, progress: Progress) -> None:
    """Give the task the weights of the best epoch, or of the last one."""
    path = job.folder / (BEST if progress.best_step else LAST)
    checkpoint = read_checkpoint(path)
    check_task(path, checkpoint, job.task, averaged=bool(job.training.ema))
    job.task.load_state_dict(checkpoint.task)
    if checkpoint.average:
        use_average(job.task, checkpoint.average)
    job.task.eval()
