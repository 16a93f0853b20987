"""What a training is asked to do."""

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

_LOOP = ("max_time", "validate_every", "patience")
"""Options of the loop by which all processes end alike."""


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
            "devices": self.training.world,
            "ema": self.training.ema,
            "batches_per_epoch": self.source.steps_per_epoch,
            **self.optimizer.resolved(),
            **getattr(self.source, "fixed", {}),
            **self.task.fixed(),
        }
        fixed: dict[str, Any] = json.loads(json.dumps(told))
        return fixed

    def asked(self) -> dict[str, Any]:
        """What must be the same in all processes of a training."""
        extent = self.extent
        return {
            **self.fixed(),
            "device": self.device.type,
            "precision": str(self.dtype).removeprefix("torch."),
            "steps": extent.steps,
            "steps_per_epoch": extent.per_epoch,
            "validation": self.validation is not None,
            **{name: getattr(self.training, name) for name in _LOOP},
        }
