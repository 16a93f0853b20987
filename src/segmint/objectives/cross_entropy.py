"""Cross-entropy: every labelled pixel should be of its class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from segmint.errors import UsageError
from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.pixel_sums import Pixels, pixel_sum
from segmint.objectives.precision import widened
from segmint.objectives.ranges import in_range
from segmint.objectives.supervision import SupervisedTerm, labels_of


def cross_entropy_loss(
    logits: Tensor,
    mask: Tensor,
    *,
    weights: Sequence[float] = (),
    label_smoothing: float = 0.0,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Cross-entropy of the softmax in nats a pixel, as ``torch.nn.functional.cross_entropy``.

    With ``q_c = (1 - s) [c = y] + s / K`` for label y and smoothing s, the value is the sum over
    pixels of ``-sum_c w_c q_c log p_c`` divided by the sum over pixels of ``w_y``.

    Args:
        logits: (N, K, H, W), any floating type.
        mask: (N, H, W) integers, 0 to K - 1 or ``ignore_index``.
        weights: of the K classes, 0 or more; empty weighs all alike.
        label_smoothing: share of every label that is spread evenly over all classes, 0 to 1.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar, the weighted mean over the labelled pixels; 0 when there are none.

    Raises:
        InputError: when the mask does not fit the logits.
        UsageError: when there are not K weights.

    Example:
        >>> mask = torch.tensor([[[0, 1, 255]]])
        >>> round(float(cross_entropy_loss(torch.zeros(1, 4, 1, 3), mask)), 4)
        1.3863
    """
    in_range("label_smoothing", label_smoothing, low=0, high=1)
    targets, known = labels_of(logits, mask, ignore_index)
    what = _Surprise(_class_weights(weights, logits), label_smoothing)
    shares = known.to(widened(logits[:0]).dtype)
    total = known.sum() if what.weights is None else (what.weights[targets] * shares).sum()
    # Without a label, or with labels of weight 0 alone, there is nothing to divide.
    return pixel_sum(what, logits, targets, shares / torch.where(total > 0, total, 1))


class CrossEntropy(SupervisedTerm):
    """The term ``cross_entropy``: :func:`cross_entropy_loss` over the labelled pixels.

    Args:
        weights: of the classes, 0 or more; empty weighs all alike.
        label_smoothing: 0 to 1.
    """

    def __init__(self, *, weights: tuple[float, ...] = (), label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.weights = tuple(in_range("weights", weight, low=0) for weight in weights)
        self.label_smoothing = in_range("label_smoothing", label_smoothing, low=0, high=1)

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar in nats a pixel."""
        return cross_entropy_loss(
            logits,
            mask,
            weights=self.weights,
            label_smoothing=self.label_smoothing,
            ignore_index=ignore_index,
        )


class _Surprise(NamedTuple):
    """``-share * sum_c w_c q_c log p_c``, summed over pixels."""

    weights: Tensor | None
    """(K,); None weighs all alike."""
    smoothing: float

    def value(self, pixels: Pixels) -> Tensor:
        logarithms = pixels.logits.log_softmax(dim=pixels.dim)
        total = (logarithms.gather(pixels.dim, pixels.targets) * self._sharp(pixels)).sum()
        if self.smoothing:
            blurred = (logarithms * self._blurred(pixels)).sum(dim=pixels.dim, keepdim=True)
            total = total + (blurred * pixels.shares).sum()
        return -total

    def slope(self, pixels: Pixels, upstream: Tensor) -> Tensor:
        sharp = self._sharp(pixels) * upstream
        if not self.smoothing:
            slope = pixels.logits.softmax(dim=pixels.dim).mul_(sharp)
        else:
            blurred, shares = self._blurred(pixels), pixels.shares * upstream
            slope = pixels.logits.softmax(dim=pixels.dim).mul_(sharp + shares * blurred.sum())
            slope.sub_(shares * blurred)
        return slope.scatter_add_(pixels.dim, pixels.targets, -sharp)

    def _sharp(self, pixels: Pixels) -> Tensor:
        """What the label itself counts, of the shape of the targets."""
        counts = pixels.shares * (1 - self.smoothing)
        return counts if self.weights is None else counts * self.weights[pixels.targets]

    def _blurred(self, pixels: Pixels) -> Tensor:
        """What each class counts beside it, (K, 1) or (1, K)."""
        classes = pixels.logits.shape[pixels.dim]
        weights = pixels.logits.new_ones(classes) if self.weights is None else self.weights
        return (weights * (self.smoothing / classes)).unsqueeze(1 - pixels.dim)


def _class_weights(weights: Sequence[float], logits: Tensor) -> Tensor | None:
    if not len(weights):
        return None
    if len(weights) != logits.shape[1]:
        raise UsageError(
            f"cross_entropy has {len(weights)} class weights, but there are {logits.shape[1]} "
            "classes: give one weight a class"
        )
    return torch.tensor(weights, dtype=widened(logits[:0]).dtype, device=logits.device)
