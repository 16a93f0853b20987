"""Losses of one sigmoid a class: the label's logit should be high and every other low.

With z the logit of being wrong, -x of the label and x of any other class, each class of each pixel
adds ``w f(z)`` where ``f(z) = sigmoid(z)^gamma softplus(z)``; gamma 0 is the binary cross-entropy.
In logarithms, so that neither a certain pixel nor a gamma below 1 gives what is no number.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from segmint.objectives.pixel_sums import Pixels, pixel_sum
from segmint.objectives.precision import widened
from segmint.objectives.supervision import labels_of


def sigmoid_loss(
    logits: Tensor,
    mask: Tensor,
    *,
    gamma: float,
    weights: tuple[float, float],
    ignore_index: int,
) -> Tensor:
    """Mean of ``w f(z)`` over labelled pixels and classes.

    Args:
        logits: (N, K, H, W); a single logit is that of label 1, beside which there is label 0.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        gamma: 0 or more.
        weights: w of the label and of all other classes.
        ignore_index: label of the pixels that do not count.
    """
    targets, known = labels_of(logits, mask, ignore_index, binary=True)
    shares = known.to(widened(logits[:0]).dtype) / (known.sum().clamp(min=1) * logits.shape[1])
    return pixel_sum(_SigmoidSum(gamma, *weights), logits, targets, shares)


class _SigmoidSum(NamedTuple):
    gamma: float
    label: float
    other: float

    def value(self, pixels: Pixels) -> Tensor:
        losses = self._loss(pixels.logits).mul_(self.other)
        own, place = _own(pixels)
        losses.scatter_(pixels.dim, place, _of_label(pixels, self.label * self._loss(-own), losses))
        return (losses.sum(dim=pixels.dim, keepdim=True) * pixels.shares).sum()

    def slope(self, pixels: Pixels, upstream: Tensor) -> Tensor:
        slope = self._derivative(pixels.logits).mul_(self.other)
        own, place = _own(pixels)
        pull = -self.label * self._derivative(-own)
        slope.scatter_(pixels.dim, place, _of_label(pixels, pull, slope))
        return slope.mul_(pixels.shares * upstream)

    def _loss(self, wrong: Tensor) -> Tensor:
        surprise = functional.softplus(wrong)
        if self.gamma == 0:
            return surprise
        return (wrong - surprise).mul_(self.gamma).exp_().mul_(surprise)

    def _derivative(self, wrong: Tensor) -> Tensor:
        if self.gamma == 0:
            return wrong.sigmoid()
        surprise = functional.softplus(wrong)
        power = (wrong - surprise).mul_(self.gamma).exp_()
        slope = (-surprise).exp_().mul_(surprise).mul_(self.gamma).add_(wrong.sigmoid())
        return slope.mul_(power)


def _own(pixels: Pixels) -> tuple[Tensor, Tensor]:
    """The logit of the label and the place of it."""
    place = pixels.targets.clamp(max=pixels.logits.shape[pixels.dim] - 1)
    return pixels.logits.gather(pixels.dim, place), place


def _of_label(pixels: Pixels, label: Tensor, other: Tensor) -> Tensor:
    """What stands at the place of the label; a single logit is that of label 1 alone."""
    if pixels.logits.shape[pixels.dim] > 1:
        return label
    return torch.where(pixels.targets == 1, label, other)
