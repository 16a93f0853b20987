"""What a training is asked to do, and the part of it that one process has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from segmint.solvers.learning_task import BatchSource, LearningTask, ValidationSource
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.progress import Extent
from segmint.solvers.training_options import TrainingOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """Everything that :func:`segmint.solvers.training.fit` was given."""

    task: LearningTask
    source: BatchSource
    validation: ValidationSource | None
    optimizer: OptimizerOptions
    training: TrainingOptions
    folder: Path
    seed: int
    device: torch.device
    dtype: torch.dtype
    """Of the networks' arithmetic."""
    resume: bool

    @property
    def extent(self) -> Extent:
        """How long it is."""
        return Extent.of(
            self.training,
            batches_per_epoch=self.source.steps_per_epoch,
            accumulate=self.optimizer.accumulate,
        )

    @property
    def chooses(self) -> bool:
        """Whether a score chooses the weights; else the last ones are kept."""
        return self.validation is not None and self.task.monitor is not None

    def fixed(self) -> dict[str, Any]:
        """What must be the same when the training goes on; plain data, as a file has it again."""
        told = {
            "seed": self.seed,
            "devices": self.training.devices,
            "ema": self.training.ema,
            "batches_per_epoch": self.source.steps_per_epoch,
            **self.optimizer.resolved(),
            **getattr(self.source, "fixed", {}),
            **self.task.fixed(),
        }
        fixed: dict[str, Any] = json.loads(json.dumps(told))
        return fixed


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of the processes that share a training."""

    rank: int = 0
    """Its number, from 0; that one writes the files."""
    world: int = 1
    """How many there are."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and tells the watcher."""
        return self.rank == 0
