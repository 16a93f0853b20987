"""Learning one network from labelled images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import InputError
from segmint.metrics.confusion import Confusion
from segmint.objectives.batch import IGNORE_INDEX, Batch
from segmint.objectives.objective import Objective
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.logits import sized
from segmint.torchvision_operators import declare_operators

declare_operators()

from torchmetrics import MeanMetric  # noqa: E402
from torchmetrics.classification import MulticlassConfusionMatrix  # noqa: E402


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
        self.class_iou: tuple[float, ...] = ()
        """IoU of each class at the last validation; NaN where a class is absent."""
        self._counts = MulticlassConfusionMatrix(
            classes, ignore_index=ignore_index, validate_args=False
        )
        self._losses = MeanMetric(nan_strategy="ignore")

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The objective of the logits, brought to the size of the images."""
        return self._objective_of(self._respond(batch), batch)

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

    def start_validation(self) -> None:
        """Forget the scores of the last validation."""
        self._counts.reset()
        self._losses.reset()
        # Of several processes one may get no image, and torchmetrics warns of empty counts.
        nothing = torch.zeros((1, 1, 1), dtype=torch.long, device=next(self.parameters()).device)
        self._counts.update(nothing, nothing + self.ignore_index)
        self._losses.update(0.0, weight=0.0)

    def validate(self, batch: Batch) -> None:
        """Count the pixels of a batch, whose mask is of native size.

        Raises:
            InputError: when there is no mask, or it holds a class beyond the last.
        """
        mask = self._checked_mask(batch)
        logits = self._respond(batch)
        found = sized(logits, mask.shape[-2:]).argmax(dim=1)
        self._counts.update(found, mask)
        total, _ = self._objective_of(logits, _at_image_size(batch))
        self._losses.update(total, weight=len(batch.image))

    def scores(self) -> dict[str, float]:
        """What the validation since its start was worth, over all processes.

        Raises:
            InputError: when no pixel had a label.
        """
        counts = self._counts.compute().cpu().numpy()
        if not counts.any():
            raise InputError(
                "no pixel of the validation images has a label that counts: give others, or train "
                "without validation"
            )
        matrix = Confusion(
            classes=tuple(range(self.classes)),
            counts=counts,
            unmatched=np.zeros(self.classes, np.int64),
        )
        self.class_iou = tuple(matrix.intersection_over_union.tolist())
        return {
            "loss": float(self._losses.compute()),
            "mean_iou": matrix.mean_iou,
            "accuracy": matrix.accuracy,
            "mean_dice": matrix.mean_dice,
        }

    def _respond(self, batch: Batch) -> Tensor:
        return cast(Tensor, self.network(batch.image)).float()

    def _objective_of(self, logits: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        size = batch.image.shape[-2:] if batch.mask is None else batch.mask.shape[-2:]
        total = self.objective(sized(logits, size), batch)
        return total, dict(self.objective.values)

    def _checked_mask(self, batch: Batch) -> Tensor:
        """The mask, with ``ignore_index`` outside the region."""
        of = f" of {batch.names[0]}" if batch.names else ""
        if batch.mask is None:
            raise InputError(f"there is no mask{of}: validation images need masks")
        mask = batch.mask
        if batch.region is not None:
            mask = mask.masked_fill(~batch.region, self.ignore_index)
        unknown = (mask != self.ignore_index) & ((mask >= self.classes) | (mask < 0))
        if bool(unknown.any()):
            raise InputError(
                f"the mask{of} holds label {int(mask[unknown][0])}, but there are {self.classes} "
                f"classes (0..{self.classes - 1}): pass ignore_index={int(mask[unknown][0])} or "
                "relabel"
            )
        return mask


def _at_image_size(batch: Batch) -> Batch:
    """The batch with mask and region of the size of its images, for terms that look at both."""
    size = batch.image.shape[-2:]

    def nearest(values: Tensor | None) -> Tensor | None:
        if values is None or values.shape[-2:] == size:
            return values
        return functional.interpolate(values[:, None].float(), size, mode="nearest-exact")[:, 0].to(
            values.dtype
        )

    return dataclasses.replace(batch, mask=nearest(batch.mask), region=nearest(batch.region))
