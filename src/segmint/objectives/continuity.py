"""Spatial continuity: neighboring pixels should have the same response."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmint.objectives.batch import Batch
from segmint.objectives.precision import widened
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
    batch: Batch, edge_sharpness: float = 0.0
) -> tuple[Tensor | None, Tensor | None]:
    """Weights of horizontal and vertical neighbor pairs, each summing to at most 1 over the batch.

    Pairs that leave the region weigh nothing. With ``edge_sharpness`` s > 0 a pair weighs
    ``exp(-s * g)``, g the largest channel difference of the image in units of its standard
    deviation: the response may jump where the image does.

    Returns:
        (N, H, W - 1) and (N, H - 1, W); or None twice when all pairs weigh alike.
    """
    if batch.region is None and edge_sharpness == 0:
        return None, None
    image = batch.image.float()
    deviation = image.std(correction=0).clamp(min=1e-6)
    pairs = []
    for axis in (-1, -2):
        size = image.shape[axis] - 1
        difference = image.narrow(axis, 1, size) - image.narrow(axis, 0, size)
        gradient = (difference / deviation).abs().amax(dim=1)
        weight = torch.exp(-edge_sharpness * gradient)
        count = float(weight.numel())
        if batch.region is not None:
            inside = batch.region.narrow(axis, 1, size) & batch.region.narrow(axis, 0, size)
            weight, count = weight * inside, float(inside.sum())
        # Divided by the number of pairs, not by the sum: weak pairs must not make others heavier.
        pairs.append(weight / max(count, 1.0))
    return pairs[0], pairs[1]


class Continuity(nn.Module):
    """The term ``continuity``.

    Args:
        x: weight of horizontal neighbors, 0 or more.
        y: weight of vertical neighbors, 0 or more.
        edge_sharpness: 0 is the published term; larger values spare the edges of the image.
    """

    def __init__(self, *, x: float = 1.0, y: float = 1.0, edge_sharpness: float = 0.0) -> None:
        super().__init__()
        self.x, self.y, self.edge_sharpness = x, y, edge_sharpness

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """Scalar; see :func:`continuity_loss`."""
        weights = neighbor_weights(batch, self.edge_sharpness)
        return continuity_loss(logits, x=self.x, y=self.y, weights=weights)

    def streamed(self, weight: float) -> StreamedWeights:
        """The same term for the streamed objective."""
        return StreamedWeights(
            continuity_x=weight * self.x,
            continuity_y=weight * self.y,
            neighbor_weights=lambda batch: neighbor_weights(batch, self.edge_sharpness),
        )


def _weighted_mean(differences: Tensor, weights: Tensor | None) -> Tensor:
    if differences.numel() == 0:
        return differences.sum()
    if weights is None:
        return differences.mean()
    return (differences * weights.unsqueeze(1)).sum() / differences.shape[1]
