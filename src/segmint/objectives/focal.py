"""Focal loss: pixels that are right already count little."""

from __future__ import annotations

from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.ranges import in_range
from segmint.objectives.sigmoid_sums import sigmoid_loss
from segmint.objectives.supervision import SupervisedTerm


def focal_loss(
    logits: Tensor,
    mask: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Focal loss of one sigmoid a class (Lin et al. 2017, eq. 5).

    The value is that of ``segmentation_models_pytorch.losses.FocalLoss``: with p the probability
    of what is true of a pixel and a class, the mean of ``-(1 - p)^gamma log p``.

    Args:
        logits: (N, K, H, W), any floating type; with K = 1 the mask is 0 or 1.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        gamma: 0 or more; 0 is the binary cross-entropy.
        alpha: weight of the label's class, beside 1 - alpha of every other, 0 to 1; None weighs
            both by 1.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar mean over labelled pixels and classes; 0 when no pixel has a label.

    Raises:
        InputError: when the mask does not fit the logits.
        UsageError: for an option out of its range.
    """
    in_range("gamma", gamma, low=0)
    weights = (1.0, 1.0)
    if alpha is not None:
        weights = (alpha, 1 - in_range("alpha", alpha, low=0, high=1))
    return sigmoid_loss(logits, mask, gamma=gamma, weights=weights, ignore_index=ignore_index)


class Focal(SupervisedTerm):
    """The term ``focal``: :func:`focal_loss` over the labelled pixels.

    Args:
        gamma: 0 or more.
        alpha: 0 to 1, or None.
    """

    def __init__(self, *, gamma: float = 2.0, alpha: float | None = None) -> None:
        super().__init__()
        self.gamma = in_range("gamma", gamma, low=0)
        self.alpha = None if alpha is None else in_range("alpha", alpha, low=0, high=1)

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar in nats a pixel and class."""
        return focal_loss(
            logits, mask, gamma=self.gamma, alpha=self.alpha, ignore_index=ignore_index
        )
