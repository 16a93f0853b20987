"""Gaussian mixtures whose probabilities come from a network: deepG and deepSVG.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation"
(2024). The negative log-likelihood is taken at the weights, means and variances that fit the
network's own probabilities best; the gradient flows through them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.mixture_steps import (
    MIN_VARIANCE,
    CountedPixels,
    counted_pixels,
    log_densities,
    log_weights,
    maximize,
)
from segmint.objectives.precision import full_precision, nothing


def mixture_loss(
    logits: Tensor,
    image: Tensor,
    region: Tensor | None = None,
    *,
    min_variance: float = MIN_VARIANCE,
) -> Tensor:
    """Negative log-likelihood of one mixture for all pixels of an image (deepG).

    Args:
        logits: (N, K, H, W) response, whose softmax are the probabilities.
        image: (N, C, H, W).
        region: (N, H, W) boolean, the pixels that count; None counts all.
        min_variance: added to every variance, above 0.

    Returns:
        Scalar in nats a pixel, the mean over the images that have a pixel to count; 0 when none
        has one.

    Example:
        >>> image = torch.tensor([-1.0, 1.0]).reshape(1, 1, 1, 2)
        >>> round(float(mixture_loss(torch.zeros(1, 1, 1, 2), image)), 4)
        1.4189
    """
    pixels = counted_pixels(logits, image, region)
    if pixels is None:
        return nothing(logits)
    densities = log_densities(pixels.values, *maximize(pixels, min_variance=min_variance))
    return _mean(torch.logsumexp(log_weights(pixels)[..., None] + densities, dim=1), pixels)


def varying_mixture_loss(
    logits: Tensor,
    image: Tensor,
    region: Tensor | None = None,
    *,
    min_variance: float = MIN_VARIANCE,
) -> Tensor:
    """Negative log-likelihood of a mixture whose weights vary from pixel to pixel (deepSVG).

    Arguments and result as in :func:`mixture_loss`; the weights of a pixel are its own
    probabilities.
    """
    pixels = counted_pixels(logits, image, region)
    if pixels is None:
        return nothing(logits)
    densities = log_densities(pixels.values, *maximize(pixels, min_variance=min_variance))
    return _mean(torch.logsumexp(pixels.logarithms + densities, dim=1), pixels)


class Mixture(nn.Module):
    """The term ``mixture``: :func:`mixture_loss` over the unlabelled pixels of the region."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar in nats a pixel."""
        with full_precision(logits):
            return mixture_loss(logits, batch.image, batch.unlabelled())


class VaryingMixture(nn.Module):
    """The term ``varying_mixture``: :func:`varying_mixture_loss` over the unlabelled pixels."""

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar in nats a pixel."""
        with full_precision(logits):
            return varying_mixture_loss(logits, batch.image, batch.unlabelled())


def _mean(log_likelihoods: Tensor, pixels: CountedPixels) -> Tensor:
    """Minus the mean over the pixels of each image, then over images; (N, P) to a scalar."""
    if pixels.where is None:
        return -log_likelihoods.mean()
    inside = log_likelihoods.masked_fill(~pixels.where, 0.0)
    return -(inside.sum(dim=1) / pixels.where.sum(dim=1)).mean()
