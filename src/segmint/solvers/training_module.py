"""A task as Lightning sees it: what a step does, and when an epoch ends.

This file imports Lightning, so it is imported only when training runs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
import torch.distributed
from torch import Tensor

from segmint.errors import InputError
from segmint.objectives.batch import Batch
from segmint.solvers.arrivals import Arrivals
from segmint.solvers.chance import reseed
from segmint.solvers.checkpoints import Checkpoint
from segmint.solvers.clock import Clock
from segmint.solvers.descent import arithmetic
from segmint.solvers.epoch_batches import EpochBatches
from segmint.solvers.epoch_end import EpochEnd
from segmint.solvers.job import Job
from segmint.solvers.means import Means
from segmint.solvers.optimizers import WeightOptimizer
from segmint.solvers.place import Place
from segmint.solvers.progress import Progress
from segmint.solvers.schedule import rate_factor
from segmint.solvers.shares import share_of
from segmint.solvers.spoilt_networks import in_networks
from segmint.solvers.training_facts import TrainingFacts
from segmint.solvers.transfer import moved
from segmint.solvers.watcher import Watcher
from segmint.solvers.weight_average import WeightAverage
from segmint.torchvision_operators import declare_operators

declare_operators()

from lightning.pytorch import LightningModule  # noqa: E402

LATE_DEVICES = frozenset({"cuda"})
"""Where the numbers of a step are looked at one step later, so that nobody waits for them."""


class _Sent(NamedTuple):
    """What the numbers of a batch are about."""

    names: tuple[str, ...]
    """Of the loss and its parts."""
    batch: Batch
    number: int
    """Of the batch in the training, from 0."""
    norms: Mapping[int, Tensor]
    """Of the gradients of the groups, where a step ended with the batch."""


class TrainingModule(LightningModule):
    """Learns as a job says.

    Args:
        job: of the training.
        place: of this process in it.
        progress: counted up by each step.
        clock: of the training.
        epoch_end: called after each epoch.
        checkpoint: what to go on from; its weights are in the task already.
        watch: told of each step.
    """

    def __init__(
        self,
        job: Job,
        place: Place,
        *,
        progress: Progress,
        clock: Clock,
        epoch_end: EpochEnd,
        checkpoint: Checkpoint | None,
        watch: Watcher | None,
    ) -> None:
        super().__init__()
        self.task = job.task
        self._job = job
        self._place = place
        self._progress = progress
        self._clock = clock
        self._epoch_end = epoch_end
        self._checkpoint = checkpoint
        self._watch = watch
        self._extent = job.extent
        self._accumulate = job.optimizer.accumulate
        self._number = 0
        self._first_step = progress.step
        self._time_share = 0.0
        self._rate = 0.0
        self._loss = math.nan
        self._means = Means()
        self._epoch_start = 0.0
        self._average: WeightAverage | None = None
        self._late = job.device.type in LATE_DEVICES
        self._arrivals: Arrivals[_Sent] = Arrivals(late=self._late)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Lightning asks for it once the weights are where they learn."""
        self._weights = WeightOptimizer(self.task.parameter_groups(), self._job.optimizer)
        return self._weights.optimizer

    def on_fit_start(self) -> None:
        """Go on from the checkpoint, and learn from here on, not predict."""
        self.task.train()
        if self._job.training.ema:
            self._average = WeightAverage(self.task, self._job.training.ema)
        if self._checkpoint is not None:
            self._weights.restore(self._checkpoint.optimizer)
            if self._average is not None:
                updates = int(self._checkpoint.facts["updates"])
                self._average.restore(self._checkpoint.average, updates)
        self._checkpoint = None

    def on_train_start(self) -> None:
        """Begin to measure how long steps take."""
        self._clock.first_step()
        self._look_at_clock()

    def train_dataloader(self) -> EpochBatches:
        """Batches of one epoch after the other."""
        return EpochBatches(self._job, self._place, self._progress)

    def on_train_epoch_start(self) -> None:
        """Begin to count."""
        self._means = Means()
        self._epoch_start = time.perf_counter()

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """The batch where the networks compute."""
        return moved(batch, device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Choose the learning rate, and what is random in this batch."""
        self._number = self._progress.step * self._accumulate + batch_idx % self._accumulate
        self._begin(self._number)
        if self._number % self._accumulate == 0:
            factor = rate_factor(
                self._job.optimizer,
                done=self._progress.step,
                total=self._extent.steps,
                per_epoch=self._extent.per_epoch,
                time_share=self._time_share,
            )
            self._rate = self._weights.use_rate(factor)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        total, parts = self.task.loss(batch)
        share = share_of(self._place, self.task.counted(batch))
        if share is not None:
            total = total * share
            parts = {name: value * share for name, value in parts.items()}
        self._batch = batch
        self._names = ("loss", *parts)
        self._values = [total.detach(), *parts.values()]
        self._norm = torch.zeros((), device=total.device)
        self._norms: Mapping[int, Tensor] = {}
        if not self._late:
            self._check("loss", float(self._values[0]), batch, self._number)
        return total

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Any) -> None:
        """Forget the gradients of the step before; the optimizer holds views of them only."""
        self._weights.forget_gradients()

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Hand the gradients over, unless they would spoil the weights."""
        self._norm = self._weights.take_gradients()
        self._norms = self._weights.norms
        if self._late:
            unusable = ~(self._norm + self._values[0]).isfinite()
            self._weights.skip_where(unusable.float())
        else:
            self._check_gradient(float(self._norm), self._about())

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Count the step."""
        self._take(self._arrivals.send([self._norm, *self._values], self._about()))
        if (self._number + 1) % self._accumulate:
            return
        self._progress.step += 1
        # Lightning would keep them until the next response has been computed.
        self._weights.forget_gradients()
        if self._average is not None:
            self._average.update()
        self._look_at_clock()
        if self._time_share >= 1:
            self.trainer.should_stop = True
        if self._watch is not None:
            self._tell(self._watch)

    def on_train_epoch_end(self) -> None:
        """Validate, keep and write down."""
        self._take(self._arrivals.rest())
        seconds = time.perf_counter() - self._epoch_start
        self._epoch_end(
            self,
            self._means_of_all(),
            rate=self._rate,
            seconds=seconds,
            time_is_up=self._time_share >= 1,
        )
        if self._progress.stopped:
            self.trainer.should_stop = True

    def weights_to_keep(self) -> AbstractContextManager[None]:
        """Within it the task has the weights that are validated and kept."""
        return nullcontext() if self._average is None else self._average.in_place()

    def checkpoint(self) -> Checkpoint:
        """Everything as it is now."""
        average = self._average
        return Checkpoint(
            task=self.task.state_dict(),
            average={} if average is None else average.state(),
            optimizer=self._weights.state(),
            facts=TrainingFacts(
                progress=self._progress,
                updates=0 if average is None else average.updates,
                fixed=self._job.fixed(),
            ).told(),
        )

    def _about(self) -> _Sent:
        return _Sent(self._names, self._batch, self._number, self._norms)

    def _take(self, arrived: list[tuple[tuple[float, ...], _Sent]]) -> None:
        """Add up the numbers of batches that have arrived."""
        for (norm, *values), about in arrived:
            self._loss = values[0]
            self._check("loss", values[0], about.batch, about.number)
            self._check_gradient(norm, about)
            self._means.add(about.names, values, weight=len(about.batch.image))

    def _check_gradient(self, norm: float, about: _Sent) -> None:
        """Stop where a gradient is no number, and say in which network."""
        what = "norm of the gradient"
        if not math.isfinite(norm):
            what += in_networks(self.task.networks(), self._weights.spoilt(about.norms))
        self._check(what, norm, about.batch, about.number)

    def _check(self, what: str, value: float, batch: Batch, number: int) -> None:
        """Stop where a number of a batch is none."""
        if math.isfinite(value):
            return
        self._begin(number)
        with torch.no_grad(), arithmetic(self._job.dtype, self._job.device):
            self.task.explain(batch)
        images = f" of {_listed(batch.names)}" if batch.names else ""
        raise InputError(
            f"the {what}{images} is {value} at step {number // self._accumulate + 1}: check that "
            "the images hold finite values, or lower --learning-rate"
        )

    def _begin(self, number: int) -> None:
        """Let chance in a batch, like dropout, and what the task does depend on its number."""
        reseed(self._job.device, self._job.seed, number, self._place.rank)
        self.task.begin_step(number // self._accumulate)

    def _look_at_clock(self) -> None:
        """Let all processes agree on how late it is."""
        if math.isfinite(self._job.training.max_seconds):
            share: float = self.trainer.strategy.broadcast(self._clock.share)
            self._time_share = share

    def _means_of_all(self) -> Means:
        if self._place.world == 1:
            return self._means
        told: list[Any] = [None] * self._place.world
        torch.distributed.all_gather_object(told, self._means.told())
        return Means.of_all(told)

    def _tell(self, watch: Watcher) -> None:
        done, total = self._progress.step, self._extent.steps
        left = self._clock.seconds_left(done - self._first_step, total - done)
        watch.step(done, total, left, self._loss)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
