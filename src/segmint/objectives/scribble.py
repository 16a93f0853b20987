"""Scribbles: labelled pixels keep the component they were given."""

from __future__ import annotations

from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.cross_entropy import cross_entropy_loss
from segmint.objectives.streamed_weights import StreamedWeights
from segmint.objectives.supervision import SupervisedTerm


def scribble_loss(logits: Tensor, mask: Tensor, *, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Cross-entropy on the scribbled pixels (Kim et al. 2020, eq. 6).

    Args:
        logits: (N, K, H, W) response.
        mask: (N, H, W) component of each scribbled pixel, ``ignore_index`` elsewhere.
        ignore_index: value of pixels without a scribble.

    Returns:
        Scalar mean over the scribbled pixels; 0 when there are none.
    """
    return cross_entropy_loss(logits, mask, ignore_index=ignore_index)


class Scribble(SupervisedTerm):
    """The term ``scribble``: :func:`scribble_loss` over the labelled pixels of the region."""

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar in nats a pixel."""
        return scribble_loss(logits, mask, ignore_index=ignore_index)

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(scribble=weight)
