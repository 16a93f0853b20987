"""What the supervised terms share: which pixels have which label."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from segmint.errors import InputError
from segmint.objectives.batch import Batch
from segmint.objectives.precision import full_precision, nothing


class SupervisedTerm(nn.Module):
    """A term that learns from the labelled pixels of the region, and from no other."""

    supervised: ClassVar[bool] = True
    """A term that tells classes apart by their labels; others may rest on it."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar; 0 with a gradient of 0 where no pixel has a label."""
        if batch.mask is None:
            return nothing(logits)
        mask = batch.mask
        if batch.region is not None:
            mask = mask.masked_fill(~batch.region, batch.ignore_index)
        with full_precision(logits):
            return self.loss(logits, mask, batch.ignore_index)

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """The loss of logits (N, K, H, W) against a mask (N, H, W)."""
        raise NotImplementedError


class Labels(NamedTuple):
    """The labels of a batch."""

    targets: Tensor
    """(N, H, W) int64, 0 where there is no label."""
    known: Tensor
    """(N, H, W) boolean: the pixel has a label."""


def labels_of(logits: Tensor, mask: Tensor, ignore_index: int, *, binary: bool = False) -> Labels:
    """The labels of a mask, checked against logits.

    On the CPU every label is looked at. Elsewhere that would make the host wait in every step, and
    a label that is no class is the business of whoever made the batch.

    Args:
        logits: (N, K, H, W).
        mask: (N, H, W) integers, 0 to K - 1 or ``ignore_index``.
        ignore_index: label of the pixels without a label.
        binary: a single logit is that of label 1, beside which there is label 0.

    Raises:
        InputError: when the shapes do not fit or a label is no class.
    """
    if logits.ndim != 4 or mask.shape != (len(logits), *logits.shape[2:]):
        raise InputError(
            f"the mask has the shape {tuple(mask.shape)} and the logits {tuple(logits.shape)}, "
            "accepted are (N, H, W) and (N, K, H, W) of the same N, H and W"
        )
    known = mask != ignore_index
    targets = mask.long().masked_fill(~known, 0)
    if mask.device.type == "cpu":
        classes = 2 if binary and logits.shape[1] == 1 else logits.shape[1]
        _check_range(targets, classes, ignore_index)
    return Labels(targets, known)


def _check_range(targets: Tensor, classes: int, ignore_index: int) -> None:
    outside = (targets < 0) | (targets >= classes)
    if not bool(outside.any()):
        return
    image = int(outside.flatten(1).any(dim=1).nonzero()[0])
    label = int(targets[outside][0])
    raise InputError(
        f"mask {image + 1} of the batch holds label {label}, but there are {classes} classes "
        f"(0 to {classes - 1}) and {ignore_index} for no label: relabel the mask or give the "
        "network more classes"
    )
