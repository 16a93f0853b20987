"""How far a training is, what came of it, and whether it is over."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from segmint.solvers.learning_task import Row
from segmint.solvers.progress_check import check_progress
from segmint.solvers.training_options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How long a training is."""

    steps: int
    """Of the whole training."""
    per_epoch: int
    """Steps of an epoch."""

    @classmethod
    def of(cls, training: TrainingOptions, *, batches_per_epoch: int, accumulate: int) -> Self:
        """The extent that options ask for, where so many batches see all data once."""
        per_epoch = training.steps_per_epoch or math.ceil(batches_per_epoch / accumulate)
        return cls(steps=training.steps or training.epochs * per_epoch, per_epoch=per_epoch)

    def epoch_of(self, step: int) -> int:
        """Number, from 1, of the epoch that a step, counted from 1, belongs to."""
        return (step - 1) // self.per_epoch + 1

    def steps_to_epoch_end(self, done: int) -> int:
        """Steps from here to the end of the epoch or the training."""
        return min(self.per_epoch - done % self.per_epoch, self.steps - done)


@dataclass(kw_only=True)
class Progress:
    """What a checkpoint knows beside tensors."""

    step: int = 0
    """Steps so far."""
    seconds: float = 0.0
    """Spent so far, all sittings together."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Rows, oldest first."""
    best_step: int = 0
    """Steps at the best validation; 0 before there is one."""
    best_score: float = -math.inf
    validations_without_gain: int = 0
    best_steps: dict[str, int] = field(default_factory=dict)
    """By the name of a network, steps at the best validation of its own score."""
    best_scores: dict[str, float] = field(default_factory=dict)
    """Those scores."""
    stopped: str = ""
    """Why the training is over: epochs, max_time, patience or enough; empty while it is not."""

    def add(self, row: Row, score: float | None) -> bool:
        """Take in the row of an epoch, and the score that chooses the best where there is one.

        Returns:
            Whether the score is the best so far.
        """
        self.history.append(dict(row))
        if score is None:
            return False
        if score > self.best_score:
            self.best_score, self.best_step = score, self.step
            self.validations_without_gain = 0
            return True
        self.validations_without_gain += 1
        return False

    def add_networks(self, scores: Mapping[str, float]) -> None:
        """Take in the scores of an epoch that choose the best of each network."""
        for name, score in scores.items():
            if score > self.best_scores.get(name, -math.inf):
                self.best_scores[name], self.best_steps[name] = score, self.step

    def epoch_at(self, step: int) -> int:
        """Number of the epoch that ended with a step."""
        return next(int(row["epoch"]) for row in self.history if row["step"] == step)

    def is_over(self, extent: Extent, training: TrainingOptions) -> bool:
        """Whether there is nothing left to do, and ``stopped`` says why."""
        if self.step >= extent.steps:
            self.stopped = self.stopped or "epochs"
        elif self.seconds >= training.max_seconds:
            self.stopped = "max_time"
        elif self.stopped not in ("patience", "enough"):
            self.stopped = ""
        return bool(self.stopped)

    def facts(self) -> dict[str, Any]:
        """Everything as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_facts(cls, facts: Any) -> Self:
        """What :meth:`facts` told.

        Raises:
            ValueError: says what it cannot have told.
        """
        check_progress(facts)
        return cls(**facts)
