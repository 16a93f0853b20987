"""Known means: each component should have the mean that it is known to have."""

from __future__ import annotations

from torch import Tensor, nn

from segmint.errors import InputError
from segmint.objectives.batch import Batch
from segmint.objectives.mixture_steps import counted_pixels, maximize
from segmint.objectives.precision import full_precision, nothing


def prior_means_loss(
    logits: Tensor, image: Tensor, means: Tensor, region: Tensor | None = None
) -> Tensor:
    """Squared distance of the components' means from known ones (Schwab et al. 2024).

    Args:
        logits: (N, K, H, W) response, whose softmax are the probabilities.
        image: (N, C, H, W).
        means: (K, C) known means.
        region: (N, H, W) boolean, the pixels that count; None counts all.

    Returns:
        Scalar ``|| mean over images of mu - means ||^2``; 0 when no pixel counts.

    Raises:
        InputError: when the means are not those of K components and C channels.
    """
    wanted = (logits.shape[1], image.shape[1])
    if tuple(means.shape) != wanted:
        raise InputError(
            f"prior means have the shape {tuple(means.shape)}, accepted is {wanted}: "
            "one row a component and one column a channel"
        )
    pixels = counted_pixels(logits, image, region)
    if pixels is None:
        return nothing(logits)
    found = maximize(pixels)[0].mean(dim=0)
    return (found - means.to(found.dtype)).square().sum()


class PriorMeans(nn.Module):
    """The term ``prior_means``: :func:`prior_means_loss` over the unlabelled pixels."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar; 0 without known means."""
        if batch.prior_means is None:
            return nothing(logits)
        with full_precision(logits):
            return prior_means_loss(logits, batch.image, batch.prior_means, batch.unlabelled())
