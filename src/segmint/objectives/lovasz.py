"""Lovász loss: a convex stand-in for the Jaccard index of each class."""

from __future__ import annotations

import torch
from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.precision import nothing, sum_type, widened
from segmint.objectives.supervision import SupervisedTerm, labels_of


def lovasz_loss(
    logits: Tensor, mask: Tensor, *, per_image: bool = False, ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Lovász-softmax loss, mean over the classes that are present (Berman et al. 2018).

    The value is that of ``segmentation_models_pytorch.losses.LovaszLoss``.

    Args:
        logits: (N, K, H, W), any floating type; with K = 1 the mask is 0 or 1 and the loss is the
            Lovász hinge.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        per_image: the mean over images that have a label, in place of one loss of all pixels.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar; 0 when no pixel has a label.

    Raises:
        InputError: when the mask does not fit the logits.
    """
    targets, known = labels_of(logits, mask, ignore_index, binary=True)
    parts = zip(logits, targets, known, strict=True) if per_image else ((logits, targets, known),)
    values = [_of_pixels(*part) for part in parts if bool(part[-1].any())]
    return torch.stack(values).mean() if values else nothing(logits)


class Lovasz(SupervisedTerm):
    """The term ``lovasz``: :func:`lovasz_loss` over the labelled pixels.

    Args:
        per_image: mean over images, in place of one loss of all pixels.
    """

    def __init__(self, *, per_image: bool = False) -> None:
        super().__init__()
        self.per_image = per_image

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar, 0 to 1 if there are two logits or more."""
        return lovasz_loss(logits, mask, per_image=self.per_image, ignore_index=ignore_index)


def _of_pixels(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """Of the known pixels of (..., K, H, W)."""
    pixels, labels = widened(logits.movedim(-3, -1)[known]), targets[known]
    if pixels.shape[1] == 1:
        truth = labels == 1
        margins = 1 - pixels[:, 0] * (2 * truth.to(pixels.dtype) - 1)
        return margins.relu() @ _steps(margins, truth)
    probabilities = pixels.softmax(dim=1)
    values = []
    for label in torch.bincount(labels).nonzero()[:, 0].tolist():
        truth = labels == label
        errors = (truth.to(pixels.dtype) - probabilities[:, label]).abs()
        values.append(errors @ _steps(errors, truth))
    return torch.stack(values).mean()


def _steps(errors: Tensor, truth: Tensor) -> Tensor:
    """What each pixel adds to one minus the Jaccard index, the most wrong first (Algorithm 1).

    Counted in whole numbers: one pixel among many is below the rounding of float32.
    """
    order = errors.detach().argsort(descending=True)
    hit = truth[order].long()
    missed = hit.cumsum(0)
    union = hit.sum() + (1 - hit).cumsum(0)
    losses = 1 - (hit.sum() - missed).to(sum_type(errors.device)) / union
    steps = torch.empty_like(errors)
    steps[order] = losses.diff(prepend=losses.new_zeros(1)).to(errors.dtype)
    return steps
