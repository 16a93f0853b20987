"""The closed forms of a Gaussian mixture with diagonal covariances, differentiable throughout.

Everything stays in logarithms: densities far from every component underflow otherwise, and a
component that loses its pixels divides nothing by nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from segmint.objectives.precision import widened

MIN_VARIANCE = 1e-10
"""Added to every variance, as published."""


class MixtureParameters(NamedTuple):
    """What the components of each image look like."""

    weights: Tensor
    """(N, K) shares of the components, summing to 1."""
    means: Tensor
    """(N, K, C)."""
    variances: Tensor
    """(N, K, C), above 0."""


class CountedPixels(NamedTuple):
    """The images that have a pixel to count, a row a pixel."""

    logarithms: Tensor
    """(N, K, P) logarithms of the probabilities."""
    values: Tensor
    """(N, C, P) channels; 0 where not counted."""
    where: Tensor | None
    """(N, P) boolean; None counts all."""


def mixture_parameters(
    probabilities: Tensor,
    image: Tensor,
    region: Tensor | None = None,
    *,
    min_variance: float = MIN_VARIANCE,
) -> MixtureParameters:
    """Weights, means and variances that fit given probabilities best (the M-step).

    A component without any probability has weight 0 and the mean and variance of the region.

    Args:
        probabilities: (N, K, H, W) of each component.
        image: (N, C, H, W).
        region: (N, H, W) boolean, the pixels that count; None counts all. Every image needs one.
        min_variance: added to every variance, above 0.

    Example:
        >>> image = torch.tensor([0.0, 2.0, 5.0, 5.0]).reshape(1, 1, 2, 2)
        >>> labels = (image > 3).long().squeeze(1)
        >>> probabilities = torch.nn.functional.one_hot(labels).movedim(-1, 1).float()
        >>> mixture_parameters(probabilities, image).means.flatten().tolist()
        [1.0, 5.0]
    """
    probabilities = widened(probabilities)
    logarithms = probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
    pixels = _counted(logarithms, image, region)
    means, variances = maximize(pixels, min_variance=min_variance)
    return MixtureParameters(log_weights(pixels).exp(), means, variances)


def counted_pixels(logits: Tensor, image: Tensor, region: Tensor | None) -> CountedPixels | None:
    """The pixels inside the region with the softmax of their logits; None when there are none."""
    if region is not None:
        filled = region.flatten(1).any(dim=1)
        if not bool(filled.any()):
            return None
        if not bool(filled.all()):
            logits, image, region = logits[filled], image[filled], region[filled]
    return _counted(widened(logits).log_softmax(dim=1), image, region)


def log_weights(pixels: CountedPixels) -> Tensor:
    """Logarithms (N, K) of the components' mean probabilities."""
    logarithms, _, where = pixels
    if where is None:
        return logarithms.logsumexp(dim=-1) - math.log(logarithms.shape[-1])
    inside = logarithms.masked_fill(~where[:, None], -math.inf)
    return inside.logsumexp(dim=-1) - where.sum(dim=1)[:, None].to(inside.dtype).log()


def maximize(pixels: CountedPixels, *, min_variance: float = MIN_VARIANCE) -> tuple[Tensor, Tensor]:
    """Means and variances (N, K, C) by the M-step (Schwab et al. 2024)."""
    logarithms, values, where = pixels
    if where is not None:
        logarithms = logarithms.masked_fill(~where[:, None], -math.inf)
    # Each pixel's share of its component, for which no division by its mass is needed.
    shares = logarithms.softmax(dim=-1)
    means = shares @ values.mT
    variances = torch.einsum("nkp,nkcp->nkc", shares, _deviations(values, means).square())
    return means, variances + min_variance


def log_densities(values: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Logarithm (N, K, P) of the density of components (N, K, C) at values (N, C, P)."""
    variances = variances[..., None]
    squares = _deviations(values, means).square() / variances
    return -0.5 * (squares + variances.log() + math.log(2 * math.pi)).sum(dim=2)


def _deviations(values: Tensor, means: Tensor) -> Tensor:
    """(N, K, C, P)."""
    return values[:, None] - means[..., None]


def _counted(logarithms: Tensor, image: Tensor, region: Tensor | None) -> CountedPixels:
    values = image.to(logarithms.dtype)
    if region is not None:
        # Not a product: outside, an image may hold what is no number.
        values = values.masked_fill(~region[:, None], 0.0)
    return CountedPixels(
        logarithms=logarithms.flatten(2),
        values=values.flatten(2),
        where=None if region is None else region.flatten(1),
    )
