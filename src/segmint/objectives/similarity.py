"""Feature similarity: every pixel is drawn to the component it already prefers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.precision import widened
from segmint.objectives.streamed_weights import StreamedWeights


def similarity_loss(logits: Tensor, where: Tensor | None = None) -> Tensor:
    """Cross-entropy of the response against its own argmax (Kim et al. 2020, eq. 3).

    No gradient passes through the argmax, so the value is ``logsumexp - max`` per pixel.

    Args:
        logits: (N, K, H, W) response.
        where: (N, H, W) boolean, the pixels that count; None counts all.

    Returns:
        Scalar mean over the counted pixels; 0 when none counts.
    """
    logits = widened(logits)
    targets = logits.argmax(dim=1, keepdim=True)
    values = torch.logsumexp(logits, dim=1) - logits.gather(1, targets).squeeze(1)
    if where is None:
        return values.mean()
    return (values * where).sum() / where.sum().clamp(min=1)


class Similarity(nn.Module):
    """The term ``similarity``: :func:`similarity_loss` over the unlabelled pixels."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar mean over the pixels of the region that have no label."""
        return similarity_loss(logits, batch.unlabelled())

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(similarity=weight)
