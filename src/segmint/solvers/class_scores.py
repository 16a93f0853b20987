"""Scores of classes over a validation: one confusion matrix, however many processes count."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from segmint.errors import InputError
from segmint.metrics.confusion import Confusion
from segmint.torchvision_operators import declare_operators

declare_operators()

from torchmetrics import MeanMetric  # noqa: E402
from torchmetrics.classification import MulticlassConfusionMatrix  # noqa: E402


class ClassScores(nn.Module):
    """Counts over all pixels of the validation images at their native size.

    The scores are ``mean_iou``, ``accuracy`` and ``mean_dice``; means are over the classes that are
    present in truth or prediction.

    Args:
        classes: K.
        ignore_index: of the masks, not counted.
    """

    def __init__(self, *, classes: int, ignore_index: int) -> None:
        super().__init__()
        self.class_iou: tuple[float, ...] = ()
        """IoU of each class when the scores were last asked for; NaN where a class is absent."""
        self._classes = classes
        self._ignore_index = ignore_index
        self._counts = MulticlassConfusionMatrix(
            classes, ignore_index=ignore_index, validate_args=False
        )

    def start(self, device: torch.device) -> None:
        """Forget what was counted."""
        self._counts.reset()
        # Of several processes one may get no image, and torchmetrics warns of empty counts.
        nothing = torch.zeros((1, 1, 1), dtype=torch.long, device=device)
        self._counts.update(nothing, nothing + self._ignore_index)

    def count(self, labels: Tensor, mask: Tensor) -> None:
        """Count predicted labels (N, H, W) against masks (N, H, W)."""
        self._counts.update(labels, mask)

    def scores(self) -> dict[str, float]:
        """What was counted since the start, over all processes, which all ask.

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
            classes=tuple(range(self._classes)),
            counts=counts,
            unmatched=np.zeros(self._classes, np.int64),
        )
        self.class_iou = tuple(matrix.intersection_over_union.tolist())
        return {
            "mean_iou": matrix.mean_iou,
            "accuracy": matrix.accuracy,
            "mean_dice": matrix.mean_dice,
        }


class MeanOfImages(nn.Module):
    """A mean over the images or pixels of a validation, over all processes."""

    def __init__(self) -> None:
        super().__init__()
        self._mean = MeanMetric(nan_strategy="ignore")

    def start(self) -> None:
        """Forget the values so far."""
        self._mean.reset()
        # As above: a process without images must not stay silent.
        self._mean.update(0.0, weight=0.0)

    def add(self, value: Tensor, *, weight: Tensor | float) -> None:
        """Take in a value, or the mean of as many as its weight."""
        self._mean.update(value, weight=weight)

    def value(self) -> float:
        """The mean, over all processes, which all ask; 0 where nothing had a weight."""
        return float(self._mean.compute())
