"""Overlap of prediction and mask, class by class: Dice, Jaccard and Tversky."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.pixel_sums import Pixels, pixel_sum
from segmint.objectives.precision import sum_type, widened
from segmint.objectives.ranges import in_range
from segmint.objectives.supervision import SupervisedTerm, labels_of

LEAST_SCORE = 1e-7
"""Bound from below of a score inside a logarithm and of what scores are divided by."""


class SoftCounts(NamedTuple):
    """Pixels of each class over a batch, a probability counting as a part of a pixel."""

    hits: Tensor
    """(K,) probability of a class on the pixels of its label."""
    predicted: Tensor
    """(K,) probability of a class on all labelled pixels."""
    labelled: Tensor
    """(K,) pixels of a label."""


def soft_counts(logits: Tensor, mask: Tensor, *, ignore_index: int = IGNORE_INDEX) -> SoftCounts:
    """Count the labelled pixels of a batch.

    Args:
        logits: (N, K, H, W), any floating type; probabilities are their softmax. With K = 1 they
            are the sigmoid, the mask is 0 or 1, and the one class is that of label 1.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        ignore_index: label of the pixels that do not count.

    Raises:
        InputError: when the mask does not fit the logits.

    Example:
        >>> mask = torch.tensor([[[0, 0, 0, 1, 255]]])
        >>> counts = soft_counts(torch.zeros(1, 2, 1, 5), mask)
        >>> [count.tolist() for count in counts]
        [[1.5, 0.5], [2.0, 2.0], [3.0, 1.0]]
    """
    targets, known = labels_of(logits, mask, ignore_index, binary=True)
    classes, dtype = logits.shape[1], widened(logits[:0]).dtype
    both = pixel_sum(_Counts(), logits, targets, known.to(dtype))
    sizes = torch.zeros(max(classes, 2), dtype=sum_type(logits.device), device=logits.device)
    sizes.index_add_(0, targets.flatten(), known.flatten().to(sizes.dtype))
    return SoftCounts(both[0], both[1], sizes[-classes:].to(dtype))


def overlap_loss(
    logits: Tensor,
    mask: Tensor,
    *,
    alpha: float,
    beta: float,
    gamma: float = 1.0,
    smooth: float = 0.0,
    log_loss: bool = False,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Tversky loss (Salehi et al. 2017): one minus a score of each class, mean over classes.

    With t the hits, f the misplaced predictions and n the missed pixels of a class over the whole
    batch, its score is ``(t + smooth) / (t + alpha f + beta n + smooth)``. The value is that of
    ``segmentation_models_pytorch.losses.TverskyLoss``: a class that no pixel has counts as right.

    Args:
        logits: (N, K, H, W), any floating type; with K = 1 the mask is 0 or 1.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        alpha: weight of what is predicted but not there, 0 or more; 1/2 is Dice and 1 is Jaccard,
            if ``beta`` is the same.
        beta: weight of what is there but not predicted, 0 or more.
        gamma: power of the mean over classes, above 0.
        smooth: added above and below, in pixels, 0 or more.
        log_loss: minus the logarithm of the score, in place of one minus the score.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar; 0 when no pixel has a label.

    Raises:
        InputError: when the mask does not fit the logits.
    """
    hits, predicted, labelled = soft_counts(logits, mask, ignore_index=ignore_index)
    wrong = alpha * (predicted - hits) + beta * (labelled - hits)
    scores = (hits + smooth) / (hits + wrong + smooth).clamp(min=LEAST_SCORE)
    losses = -scores.clamp(min=LEAST_SCORE).log() if log_loss else 1 - scores
    return _power(torch.where(labelled > 0, losses, 0.0).mean(), gamma)


class Dice(SupervisedTerm):
    """The term ``dice``: :func:`overlap_loss` with alpha and beta 1/2.

    Args:
        smooth: pixels, 0 or more.
        log_loss: minus the logarithm of the score.
    """

    weight = 0.5

    def __init__(self, *, smooth: float = 0.0, log_loss: bool = False) -> None:
        super().__init__()
        self.smooth = in_range("smooth", smooth, low=0)
        self.log_loss = log_loss

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar, 0 to 1 unless it is a logarithm."""
        return overlap_loss(
            logits,
            mask,
            alpha=self.weight,
            beta=self.weight,
            smooth=self.smooth,
            log_loss=self.log_loss,
            ignore_index=ignore_index,
        )


class Jaccard(Dice):
    """The term ``jaccard``: :func:`overlap_loss` with alpha and beta 1; options as of ``dice``."""

    weight = 1.0


class Tversky(SupervisedTerm):
    """The term ``tversky``: :func:`overlap_loss`.

    Args:
        alpha: weight of what is predicted but not there, 0 or more.
        beta: weight of what is there but not predicted, 0 or more.
        gamma: power of the mean over classes, above 0.
        smooth: pixels, 0 or more.
        log_loss: minus the logarithm of the score.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.5,
        beta: float = 0.5,
        gamma: float = 1.0,
        smooth: float = 0.0,
        log_loss: bool = False,
    ) -> None:
        super().__init__()
        self.alpha = in_range("alpha", alpha, low=0)
        self.beta = in_range("beta", beta, low=0)
        self.gamma = in_range("gamma", gamma, low=0.01)
        self.smooth = in_range("smooth", smooth, low=0)
        self.log_loss = log_loss

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar, 0 to 1 unless it is a logarithm."""
        return overlap_loss(
            logits,
            mask,
            alpha=self.alpha,
            beta=self.beta,
            gamma=self.gamma,
            smooth=self.smooth,
            log_loss=self.log_loss,
            ignore_index=ignore_index,
        )


class _Counts:
    """Hits and predictions of each class, (2, K)."""

    def value(self, pixels: Pixels) -> Tensor:
        """The sum over these pixels."""
        probabilities, own, hit = _probabilities(pixels)
        predicted = (probabilities * pixels.shares).sum(dim=1 - pixels.dim)
        hits = torch.zeros_like(predicted, dtype=sum_type(predicted.device))
        place = pixels.targets.clamp(max=len(hits) - 1).flatten()
        hits.index_add_(0, place, (own * hit * pixels.shares).flatten().to(hits.dtype))
        return torch.stack((hits, predicted.to(hits.dtype)))

    def slope(self, pixels: Pixels, upstream: Tensor) -> Tensor:
        """Gradient of the sum: of the softmax, p (g - sum p g) where g is that of p."""
        probabilities, own, hit = _probabilities(pixels)
        of_hits, of_predicted = upstream.to(probabilities.dtype)
        every = of_predicted.unsqueeze(1 - pixels.dim)
        place = pixels.targets.clamp(max=len(of_hits) - 1)
        pull = own * hit * of_hits[place]
        if len(of_hits) == 1:
            return (1 - probabilities).mul_(pull + probabilities * every).mul_(pixels.shares)
        mean = (probabilities * every).sum(dim=pixels.dim, keepdim=True) + pull
        slope = probabilities.mul_(every - mean).scatter_add_(pixels.dim, place, pull)
        return slope.mul_(pixels.shares)


def _probabilities(pixels: Pixels) -> tuple[Tensor, Tensor, Tensor | float]:
    """Of all classes, of the label, and whether there is one: label 0 of one logit has none."""
    if pixels.logits.shape[pixels.dim] == 1:
        probabilities = pixels.logits.sigmoid()
        return probabilities, probabilities, pixels.targets.to(probabilities.dtype)
    probabilities = pixels.logits.softmax(dim=pixels.dim)
    return probabilities, probabilities.gather(pixels.dim, pixels.targets), 1.0


def _power(value: Tensor, exponent: float) -> Tensor:
    """A power whose gradient at 0 is 0; rounding below 0 is taken for 0."""
    if exponent == 1:
        return value
    positive = value > 0
    return torch.where(positive, torch.where(positive, value, 1.0) ** exponent, 0.0)
