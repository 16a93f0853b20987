"""Binary cross-entropy of one sigmoid a class."""

from __future__ import annotations

from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.sigmoid_sums import sigmoid_loss
from segmint.objectives.supervision import SupervisedTerm


def bce_loss(logits: Tensor, mask: Tensor, *, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Binary cross-entropy of the sigmoids against the one-hot mask, in nats a pixel.

    Per pixel and class it is ``softplus(x) - x [c = y]``, of which the one-hot mask is never made.
    It is summed over classes, as Zhao et al. (2019, eq. 13) have it beside region mutual
    information: a mean would weaken it with the number of classes. With K = 1 there is no
    difference; torch's own function divides by K.

    Args:
        logits: (N, K, H, W), any floating type; with K = 1 the mask is 0 or 1.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar sum over classes, mean over labelled pixels; 0 when no pixel has a label.

    Raises:
        InputError: when the mask does not fit the logits.

    Example:
        >>> import torch
        >>> mask = torch.tensor([[[0, 1, 255]]])
        >>> round(float(bce_loss(torch.zeros(1, 4, 1, 3), mask)), 4)
        2.7726
    """
    mean = sigmoid_loss(logits, mask, gamma=0.0, weights=(1.0, 1.0), ignore_index=ignore_index)
    return mean * logits.shape[1]


class BinaryCrossEntropy(SupervisedTerm):
    """The term ``bce``: :func:`bce_loss` over the labelled pixels."""

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar in nats a pixel."""
        return bce_loss(logits, mask, ignore_index=ignore_index)
