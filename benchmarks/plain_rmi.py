"""Region mutual information written the obvious way: every class, every shift, in float64.

Zhao et al. (2019) as published: ignored pixels are multiplied to zero, pooling pads by half its
size, and the radius * radius shifted copies of both maps are stacked in float64. It is the baseline
of ``bench_rmi.py`` and is not made slow: every step is one call over all images and classes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 5e-4
CLIP = 1e-6


def plain_rmi(
    logits: Tensor, mask: Tensor, *, radius: int = 3, pooling: str = "none", pool_size: int = 1
) -> Tensor:
    """Mean over images and sum over classes of 1/2 log det(M + epsilon I) / d, with sigmoids."""
    classes = logits.shape[1]
    counted = mask < classes
    truth = functional.one_hot(mask.long() * counted, classes).movedim(-1, 1).float()
    truth = truth * counted[:, None]
    probabilities = logits.sigmoid() * counted[:, None] + CLIP
    truth, probabilities = (
        _pooled(values, pooling, pool_size) for values in (truth, probabilities)
    )
    y, p = _centered(truth, radius), _centered(probabilities, radius)
    identity = EPSILON * torch.eye(radius * radius, dtype=torch.float64)
    syy, spp, syp = y @ y.mT, p @ p.mT, y @ p.mT
    m = syy - syp @ torch.inverse(spp + identity) @ syp.mT
    diagonal = torch.linalg.cholesky(m + identity).diagonal(dim1=-2, dim2=-1)
    return (diagonal.log().sum(dim=-1) / radius**2).mean(dim=0).sum()


def _pooled(values: Tensor, pooling: str, size: int) -> Tensor:
    if pooling == "average":
        return functional.avg_pool2d(values, size, size, size // 2)
    if pooling == "max":
        return functional.max_pool2d(values, size, size, size // 2)
    return values


def _centered(values: Tensor, radius: int) -> Tensor:
    """(N, K, d, windows) in float64, the shifted copies less their means."""
    height, width = (side - radius + 1 for side in values.shape[2:])
    copies = [
        values[:, :, y : y + height, x : x + width] for y in range(radius) for x in range(radius)
    ]
    stacked = torch.stack(copies, dim=2).flatten(3).double()
    return stacked - stacked.mean(dim=3, keepdim=True)
