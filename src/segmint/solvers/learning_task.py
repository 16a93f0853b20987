"""What the training loop steps: networks with their losses, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from segmint.objectives.batch import Batch

Row = Mapping[str, float]
"""What is known of an epoch: means of its losses by name, and scores of its validation."""


class LearningTask(nn.Module):
    """Networks, their losses and their scores; the loop does not know if one learns or several.

    Everything with weights is a submodule, so that devices, precision, averages of weights and
    checkpoints are the loop's business alone.
    """

    monitor: str | None = None
    """Name of the score that chooses the best checkpoint, the larger the better; None keeps the
    last."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """What to minimize, and its weighted parts by name, detached, for the log."""
        raise NotImplementedError

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters for the optimizer; a group may bring its own ``lr``."""
        return [{"params": list(self.parameters())}]

    def networks(self) -> Mapping[str, nn.Module]:
        """What is kept of the run, by name."""
        raise NotImplementedError

    def start_validation(self) -> None:
        """Forget the scores of the last validation."""

    def validate(self, batch: Batch) -> None:
        """Count what the networks say of a batch against its truth."""

    def scores(self) -> dict[str, float]:
        """What the validation since its start was worth, over all processes."""
        return {}

    def enough(self, history: Sequence[Row]) -> bool:
        """Whether the epochs so far, oldest first, are enough; asked after each."""
        return False


class BatchSource(Protocol):
    """Batches by the number of their step, so that a run goes on where it was cut off."""

    steps_per_epoch: int

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterable[Batch]:
        """This process's share of every batch from a step on, without end.

        A batch depends on the seed and the number of its step alone. Of ``world`` processes each
        gets an equal part of the same global batch.
        """
        ...


class ValidationSource(Protocol):
    """The images of a validation split, in batches of one."""

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterable[Batch]:
        """``batch.image`` is as the networks want it, ``batch.mask`` of native size."""
        ...
