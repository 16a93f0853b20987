"""What the training loop steps: networks with their losses, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from torch import Tensor, nn

from segmint.objectives.batch import Batch

Row = Mapping[str, float]
"""What is known of an epoch: ``epoch``, ``step``, ``learning_rate``, the mean ``loss`` and its
parts by name, and ``val_NAME`` for each score of its validation, where there was one."""


class LearningTask(nn.Module):
    """Networks, their losses and their scores; the loop does not know if one learns or several.

    Everything with weights is a submodule, so that devices, precision, averages of weights and
    checkpoints are the loop's business alone.
    """

    monitor: str | None = None
    """Name of the score that chooses the best checkpoint, the larger the better; None keeps the
    last."""

    monitors: Mapping[str, str] = MappingProxyType({})
    """Further choices: by the name of one of :meth:`networks` or :meth:`groups` the score that
    chooses its own best weights, which ``checkpoints/best-NAME.ckpt`` keeps."""

    leaves_weights_out: bool = False
    """Whether a step may give some weights no gradient; several processes have to know that."""

    def begin_step(self, step: int) -> None:
        """Told the number of the step, from 0, before each of its batches."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """What to minimize, a mean over images, and its weighted parts by name, for the log.

        A part whose name has a slash, ``NAME/what``, is of one of several networks and may be a
        figure to look at, which the sum does not hold.

        Networks called here compute in the precision of the run. Losses need more: compute them
        inside :func:`segmint.objectives.precision.full_precision`. The parts are detached.
        """
        raise NotImplementedError

    def counted(self, batch: Batch) -> Tensor | None:
        """How much :meth:`loss` of a batch counts beside those of other parts of a global batch.

        A scalar, 0 or more, like the number of pixels that the loss is a mean over; then the loss
        of all parts together is that of the global batch. None lets all parts count alike.
        """
        return None

    def explain(self, batch: Batch) -> None:
        """Say why the loss of a batch is not finite; called once, before the run stops.

        Raises:
            InputError: names the term and the images, where it can; else nothing is raised, and
                the loop names the images.
        """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters for the optimizer, in a group for each network.

        Gradients are clipped group by group; a group may bring its own ``lr``, its greatest one.
        """
        return [{"params": list(self.parameters())}]

    def networks(self) -> Mapping[str, nn.Module]:
        """What is kept of the run, by name."""
        raise NotImplementedError

    def groups(self) -> Mapping[str, nn.Module]:
        """Several networks whose weights are chosen together, by a name for all of them."""
        return {}

    def fixed(self) -> Mapping[str, Any]:
        """What must be the same when the training goes on, by its name in messages; plain data."""
        return {}

    def start_validation(self) -> None:
        """Forget the scores of the last validation."""

    def validate(self, batch: Batch) -> None:
        """Count what the networks say of a batch against its truth; no gradients are kept."""

    def scores(self) -> dict[str, float]:
        """What the validation since its start was worth, over all processes, which all ask."""
        return {}

    def enough(self, history: Sequence[Row]) -> bool:
        """Whether the epochs so far, oldest first, are enough; asked after each but the last."""
        return False


class BatchSource(Protocol):
    """Batches by the number of their step, so that a run goes on where it was cut off.

    A source may have ``fixed``, a mapping of plain data by its name in messages: what must be the
    same when the training goes on.
    """

    steps_per_epoch: int
    """Batches that see all data once."""

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterable[Batch]:
        """This process's share of every batch from a step on, without end.

        A batch depends on the seed and the number of its step alone. Of ``world`` processes each
        gets an equal part of the same global batch; for more than one the source is pickled.
        """
        ...


class ValidationSource(Protocol):
    """The images of a validation split, in batches of one."""

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterable[Batch]:
        """``batch.image`` is as the networks want it, ``batch.mask`` of native size."""
        ...
