"""Scribbles: labelled pixels keep the component they were given."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from segmint.objectives.batch import IGNORE_INDEX, Batch
from segmint.objectives.precision import widened
from segmint.objectives.streamed_weights import StreamedWeights


def scribble_loss(logits: Tensor, mask: Tensor, *, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Cross-entropy on the scribbled pixels (Kim et al. 2020, eq. 6).

    Args:
        logits: (N, K, H, W) response.
        mask: (N, H, W) component of each scribbled pixel, ``ignore_index`` elsewhere.
        ignore_index: value of pixels without a scribble.

    Returns:
        Scalar mean over the scribbled pixels; 0 when there are none.
    """
    known = (mask != ignore_index).sum().clamp(min=1)
    total = functional.cross_entropy(
        widened(logits), mask.long(), ignore_index=ignore_index, reduction="sum"
    )
    return total / known


class Scribble(nn.Module):
    """The term ``scribble``: :func:`scribble_loss` inside the region."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar; 0 without scribbles."""
        if batch.mask is None:
            return widened(logits).sum() * 0.0
        mask = batch.mask
        if batch.region is not None:
            mask = torch.where(batch.region, mask, batch.ignore_index)
        return scribble_loss(logits, mask, ignore_index=batch.ignore_index)

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(scribble=weight)
