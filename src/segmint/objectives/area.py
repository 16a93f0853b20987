"""Area terms: very large and very small components are disfavored.

Counting an argmax has no gradient, so areas are soft: ``a_k``, the mean over the counted pixels of
the softmax response of component k. Which component is largest or smallest is chosen among those
that at least one pixel prefers; the gradient flows through the soft area of the chosen one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.precision import widened
from segmint.objectives.streamed_weights import StreamedWeights


def soft_areas(logits: Tensor, where: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Soft areas and the components that are present.

    Args:
        logits: (N, K, H, W) response.
        where: (N, H, W) boolean, the pixels that count; None counts all.

    Returns:
        Areas (K,) that sum to 1, and (K,) boolean: some counted pixel prefers that component.
    """
    logits = widened(logits)
    probabilities = logits.softmax(dim=1)
    labels = logits.argmax(dim=1)
    if where is None:
        areas = probabilities.mean(dim=(0, 2, 3))
    else:
        areas = (probabilities * where.unsqueeze(1)).sum(dim=(0, 2, 3)) / where.sum().clamp(min=1)
        labels = labels[where]
    return areas, torch.bincount(labels.flatten(), minlength=logits.shape[1]) > 0


def max_area_loss(areas: Tensor, present: Tensor) -> Tensor:
    """The largest soft area, 0 to 1."""
    return areas[_largest(areas, present)] if bool(present.any()) else areas.sum() * 0.0


def min_area_loss(areas: Tensor, present: Tensor) -> Tensor:
    """One minus the smallest soft area in units of an even share, 0 (all alike) to 1."""
    if not bool(present.any()):
        return areas.sum() * 0.0
    return 1 - present.sum() * areas[_smallest(areas, present)]


def area_gradients(areas: Tensor, present: Tensor, *, largest: float, smallest: float) -> Tensor:
    """Gradient (K,) of ``largest * max_area + smallest * min_area`` in the soft areas."""
    gradient = torch.zeros_like(areas)
    if bool(present.any()):
        gradient[_largest(areas, present)] += largest
        gradient[_smallest(areas, present)] -= smallest * float(present.sum())
    return gradient


class MaxArea(nn.Module):
    """The term ``max_area``: :func:`max_area_loss` inside the region."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar in 0 to 1."""
        return max_area_loss(*soft_areas(logits, batch.region))

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(max_area=weight)


class MinArea(nn.Module):
    """The term ``min_area``: :func:`min_area_loss` inside the region."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar in 0 to 1."""
        return min_area_loss(*soft_areas(logits, batch.region))

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(min_area=weight)


def _largest(areas: Tensor, present: Tensor) -> Tensor:
    return areas.detach().masked_fill(~present, -torch.inf).argmax()


def _smallest(areas: Tensor, present: Tensor) -> Tensor:
    return areas.detach().masked_fill(~present, torch.inf).argmin()
