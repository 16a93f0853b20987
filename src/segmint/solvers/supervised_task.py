"""Learning one network from labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from segmint.objectives.batch import IGNORE_INDEX, Batch
from segmint.objectives.objective import Objective
from segmint.objectives.precision import widened
from segmint.solvers.class_scores import ClassScores, MeanOfImages
from segmint.solvers.counted_pixels import counted_pixels
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.logits import logits_size, sized
from segmint.solvers.validation_masks import at_image_size, checked_mask


class SupervisedTask(LearningTask):
    """One network that learns an objective; the mean IoU of the validation chooses its weights.

    The scores are those of one confusion matrix over all pixels of the validation images at their
    native size: ``loss``, ``mean_iou``, ``accuracy``, ``mean_dice``. Means are over the classes
    that are present in truth or prediction.

    Args:
        network: maps images (N, C, H, W) to logits (N, K, h, w).
        objective: of logits and batch.
        classes: K.
        ignore_index: of the masks, not counted.
    """

    monitor = "mean_iou"

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        *,
        classes: int,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.classes = classes
        self.ignore_index = ignore_index
        self._counts = ClassScores(classes=classes, ignore_index=ignore_index)
        self._losses = MeanOfImages()

    @property
    def class_iou(self) -> tuple[float, ...]:
        """IoU of each class at the last validation; NaN where a class is absent."""
        return self._counts.class_iou

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective of the logits, brought to the size of the images."""
        return self._objective_of(self._respond(batch), batch)

    def counted(self, batch: Batch) -> Tensor | None:
        """The labelled pixels, where the objective is a mean over them."""
        return counted_pixels(self.objective, batch)

    def explain(self, batch: Batch) -> None:
        """Name the terms of the objective that are not finite.

        Raises:
            InputError: when there are some.
        """
        total, _ = self.loss(batch)
        if not bool(total.isfinite()):
            self.objective.blame(batch)

    def networks(self) -> Mapping[str, nn.Module]:
        """The network."""
        return {"network": self.network}

    def fixed(self) -> Mapping[str, Any]:
        """The objective, and what the network was built with where it tells."""
        return {
            "objective": self.objective.expression,
            "network": getattr(self.network, "configuration", None),
        }

    def start_validation(self) -> None:
        """Forget the scores of the last validation."""
        self._counts.start(next(self.parameters()).device)
        self._losses.start()

    def validate(self, batch: Batch) -> None:
        """Count the pixels of a batch, whose mask is of native size.

        Raises:
            InputError: when there is no mask, or it holds a class beyond the last.
        """
        mask = checked_mask(batch, classes=self.classes, ignore_index=self.ignore_index)
        logits = self._respond(batch)
        self._counts.count(sized(logits, mask.shape[-2:]).argmax(dim=1), mask)
        total, _ = self._objective_of(logits, at_image_size(batch))
        self._losses.add(total, weight=len(batch.image))

    def scores(self) -> dict[str, float]:
        """What the validation since its start was worth, over all processes.

        Raises:
            InputError: when no pixel had a label.
        """
        found = self._counts.scores()
        return {"loss": self._losses.value(), **found}

    def _respond(self, batch: Batch) -> Tensor:
        return widened(self.network(batch.image))

    def _objective_of(self, logits: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        total = self.objective(sized(logits, logits_size(batch)), batch)
        return total, dict(self.objective.values)
