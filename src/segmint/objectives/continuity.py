"""Spatial continuity: neighboring pixels should have the same response."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.precision import full_precision, widened
from segmint.objectives.ranges import in_range
from segmint.objectives.streamed_weights import StreamedWeights


def continuity_loss(
    logits: Tensor,
    *,
    x: float = 1.0,
    y: float = 1.0,
    weights: tuple[Tensor | None, Tensor | None] = (None, None),
) -> Tensor:
    """Mean absolute difference between neighbors (Kim et al. 2020, eq. 5).

    Args:
        logits: (N, K, H, W) response.
        x: weight of horizontal neighbors.
        y: weight of vertical neighbors.
        weights: of each pair of neighbors, (N, H, W - 1) and (N, H - 1, W), from
            :func:`neighbor_weights`; None weighs all pairs alike.

    Returns:
        Scalar ``x * mean |d_x| + y * mean |d_y|``; an axis of one pixel adds 0.
    """
    logits = widened(logits)
    horizontal = (logits[..., :, 1:] - logits[..., :, :-1]).abs()
    vertical = (logits[..., 1:, :] - logits[..., :-1, :]).abs()
    return x * _weighted_mean(horizontal, weights[0]) + y * _weighted_mean(vertical, weights[1])


def neighbor_weights(
    batch: Batch, edge_sharpness: float = 0.0, *, everywhere: bool = False
) -> tuple[Tensor | None, Tensor | None]:
    """Weights of horizontal and vertical neighbor pairs, each summing to at most 1 over the batch.

    Pairs that leave the region weigh nothing, nor do pairs of two labelled pixels, about which the
    mask says more. With ``edge_sharpness`` s > 0 a pair weighs ``exp(-s * g)``, g the largest
    channel difference of the image in units of its standard deviation: the response may jump where
    the image does.

    Args:
        batch: image, mask and region.
        edge_sharpness: 0 or more.
        everywhere: pairs of two labelled pixels weigh like all others.

    Returns:
        (N, H, W - 1) and (N, H - 1, W); or None twice when all pairs weigh alike.
    """
    labelled = None if everywhere else batch.labelled()
    if batch.region is None and labelled is None and edge_sharpness == 0:
        return None, None
    pairs = [_affinity(batch.image, axis, edge_sharpness) for axis in (-1, -2)]
    for number, axis in enumerate((-1, -2)):
        counted = torch.ones_like(pairs[number], dtype=torch.bool)
        if batch.region is not None:
            counted = _both(batch.region, axis)
        if labelled is not None:
            counted = counted & ~_both(labelled, axis)
        # Divided by the number of pairs, not by the sum: weak pairs must not make others heavier.
        pairs[number] = pairs[number] * counted / counted.sum().clamp(min=1)
    return pairs[0], pairs[1]


class Continuity(nn.Module):
    """The term ``continuity``: :func:`continuity_loss` over pairs with an unlabelled pixel.

    Args:
        x: weight of horizontal neighbors, 0 or more.
        y: weight of vertical neighbors, 0 or more.
        edge_sharpness: 0 is the published term; larger values spare the edges of the image.
        everywhere: count pairs of two labelled pixels too, as published; if not, only pairs with a
            pixel that no label speaks for.
    """

    def __init__(
        self,
        *,
        x: float = 1.0,
        y: float = 1.0,
        edge_sharpness: float = 0.0,
        everywhere: bool = False,
    ) -> None:
        super().__init__()
        self.x, self.y = in_range("x", x, low=0), in_range("y", y, low=0)
        self.edge_sharpness = in_range("edge_sharpness", edge_sharpness, low=0)
        self.everywhere = everywhere

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar; see :func:`continuity_loss`."""
        with full_precision(logits):
            return continuity_loss(logits, x=self.x, y=self.y, weights=self._weights(batch))

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(
            continuity_x=weight * self.x,
            continuity_y=weight * self.y,
            neighbor_weights=self._weights,
        )

    def _weights(self, batch: Batch) -> tuple[Tensor | None, Tensor | None]:
        return neighbor_weights(batch, self.edge_sharpness, everywhere=self.everywhere)


def _affinity(image: Tensor, axis: int, edge_sharpness: float) -> Tensor:
    """``exp(-s * g)`` of each pair of neighbors along an axis, float32."""
    size = image.shape[axis] - 1
    if edge_sharpness == 0:
        return torch.ones_like(image[:, 0].narrow(axis, 0, size), dtype=torch.float32)
    image = image.float()
    deviation = image.std(correction=0).clamp(min=1e-6)
    difference = image.narrow(axis, 1, size) - image.narrow(axis, 0, size)
    gradient = (difference / deviation).abs().amax(dim=1)
    return torch.exp(-edge_sharpness * gradient)


def _both(where: Tensor, axis: int) -> Tensor:
    """Pairs of neighbors along an axis of which both are there."""
    size = where.shape[axis] - 1
    return where.narrow(axis, 1, size) & where.narrow(axis, 0, size)


def _weighted_mean(differences: Tensor, weights: Tensor | None) -> Tensor:
    if differences.numel() == 0:
        return differences.sum()
    if weights is None:
        return differences.mean()
    return (differences * weights.unsqueeze(1)).sum() / differences.shape[1]
