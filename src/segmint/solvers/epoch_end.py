"""What the end of an epoch does: validate, keep, write down, and say whether it was the last."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import torch.distributed

from segmint.errors import InputError
from segmint.solvers.best_networks import keep_best_networks
from segmint.solvers.checkpoints import BEST, LAST, Checkpoint, copy_checkpoint, write_checkpoint
from segmint.solvers.clock import Clock
from segmint.solvers.epoch_line import VALIDATION, epoch_line
from segmint.solvers.job import Job
from segmint.solvers.means import Means
from segmint.solvers.place import Place
from segmint.solvers.progress import Progress
from segmint.solvers.spoilt_networks import in_networks, spoilt_weights
from segmint.solvers.training_log import TrainingLog
from segmint.solvers.validation import validate
from segmint.solvers.watcher import Watcher


class Keepable(Protocol):
    """What learns, as far as the end of an epoch looks at it."""

    def weights_to_keep(self) -> AbstractContextManager[None]:
        """Within it the task has the weights that are validated and kept."""
        ...

    def checkpoint(self) -> Checkpoint:
        """Everything as it is now."""
        ...


class EpochEnd:
    """Closes epochs.

    Args:
        job: of the training.
        place: of this process in it; the first one writes.
        progress: brought up to date by each call.
        clock: of the training.
        watch: told of each epoch.
    """

    def __init__(
        self, job: Job, place: Place, *, progress: Progress, clock: Clock, watch: Watcher | None
    ) -> None:
        self._job = job
        self._place = place
        self._progress = progress
        self._clock = clock
        self._watch = watch
        self._first_step = progress.step
        self._log: TrainingLog | None = None
        if place.is_first:
            self._log = TrainingLog(
                job.folder, progress.history, tensorboard=job.training.tensorboard
            )
            if progress.step:
                self._log.note(f"going on after step {progress.step}")

    def __call__(
        self, learner: Keepable, means: Means, *, rate: float, seconds: float, time_is_up: bool
    ) -> None:
        """Close an epoch; ``stopped`` of the progress says afterwards whether it was the last.

        Args:
            learner: what learned.
            means: losses over the epoch, of all processes together.
            rate: learning rate of its last step.
            seconds: that its steps took.
            time_is_up: end here.

        Raises:
            InputError: when a weight is no longer finite; then nothing is kept.
        """
        progress = self._progress
        epoch = self._job.extent.epoch_of(progress.step)
        row = {"epoch": float(epoch), "step": float(progress.step), "learning_rate": rate}
        row.update(means.values())
        self._check_weights()
        with learner.weights_to_keep():
            if self._job.training.ema:
                self._check_weights()
            reason = self._validate(row, self._reason(time_is_up))
        is_best = progress.add(row, self._choice(row))
        progress.add_networks(self._choices(row))
        if not reason and 0 < self._job.training.patience <= progress.validations_without_gain:
            reason = "patience"
        progress.stopped = reason
        progress.seconds = self._clock.seconds
        if self._log is not None:
            self._keep(learner.checkpoint(), is_best)
            self._tell(row, seconds=seconds, images=means.weight)

    def close(self) -> None:
        """Close the files."""
        if self._log is not None:
            self._log.close()

    def _reason(self, time_is_up: bool) -> str:
        if self._progress.step >= self._job.extent.steps:
            return "epochs"
        return "max_time" if time_is_up else ""

    def _validate(self, row: dict[str, float], reason: str) -> str:
        """Add the scores to the row where they are due; why the training is over, if it is."""
        job = self._job
        due = bool(reason) or row["epoch"] % job.training.validate_every == 0
        if due:
            row.update(self._scores())
        if not reason and job.task.enough([*self._progress.history, row]):
            reason = "enough"
            if not due:
                row.update(self._scores())
        return reason

    def _scores(self) -> dict[str, float]:
        job = self._job
        if job.validation is None:
            return {}
        if self._place.world > 1:
            for buffer in job.task.buffers():  # each process has counted its own batches
                torch.distributed.broadcast(buffer, 0)
        scores = validate(
            job.task,
            job.validation,
            device=job.device,
            dtype=job.dtype,
            rank=self._place.rank,
            world=self._place.world,
        )
        return {f"{VALIDATION}{name}": value for name, value in scores.items()}

    def _choice(self, row: dict[str, float]) -> float | None:
        """The score that chooses the best weights, where this epoch has it."""
        return row.get(f"{VALIDATION}{self._job.task.monitor}") if self._job.chooses else None

    def _choices(self, row: dict[str, float]) -> dict[str, float]:
        """By the name of a network the score that chooses its own best weights."""
        scores = {name: f"{VALIDATION}{score}" for name, score in self._job.task.monitors.items()}
        return {name: row[score] for name, score in scores.items() if score in row}

    def _check_weights(self) -> None:
        spoilt = spoilt_weights(self._job.task)
        if spoilt:
            raise InputError(
                f"after step {self._progress.step} the weights"
                f"{in_networks(self._job.task.networks(), spoilt)} hold values that are no "
                "numbers: lower --learning-rate"
            )

    def _keep(self, checkpoint: Checkpoint, is_best: bool) -> None:
        folder = self._job.folder
        write_checkpoint(folder / LAST, checkpoint)
        if is_best:
            copy_checkpoint(folder / LAST, folder / BEST)
        keep_best_networks(self._job, self._progress, checkpoint)

    def _tell(self, row: dict[str, float], *, seconds: float, images: float) -> None:
        extent, step = self._job.extent, self._progress.step
        to_go = 0 if self._progress.stopped else extent.steps - step
        line = epoch_line(
            row,
            epochs=extent.epoch_of(extent.steps),
            seconds=seconds,
            images=images,
            seconds_left=self._clock.seconds_left(step - self._first_step, to_go),
        )
        assert self._log is not None
        self._log.add(row, line)
        if self._watch is not None:
            self._watch.epoch(row, line)
