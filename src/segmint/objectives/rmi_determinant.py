"""Log-determinant of what the prediction leaves unexplained of the truth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

JITTERS = (1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4)
"""Shares of the greatest diagonal element, tried in turn where a matrix is not definite."""


def unexplained_log_determinant(scatter: Tensor, epsilon: float) -> Tensor:
    """Log-determinant of M + epsilon I, M = Syy - Syp (Spp + epsilon I)^-1 Spy.

    It is read from the last half of one Cholesky factor of the joint matrix plus epsilon I, of
    which M + epsilon I is the Schur complement. So nothing is inverted or subtracted, and what is
    factored has no eigenvalue below epsilon.

    Args:
        scatter: (P, 2 d, 2 d) float64, positive semidefinite, prediction first.
        epsilon: above 0.

    Returns:
        (P,) in nats.

    Example:
        >>> round(float(unexplained_log_determinant(torch.zeros(1, 2, 2).double(), 0.5)), 4)
        -0.6931
    """
    size = scatter.shape[-1]
    identity = torch.eye(size, dtype=scatter.dtype, device=scatter.device)
    factor = cholesky_with_jitter(scatter + epsilon * identity)
    return 2 * factor.diagonal(dim1=-2, dim2=-1)[:, size // 2 :].log().sum(dim=-1)


def cholesky_with_jitter(matrices: Tensor) -> Tensor:
    """Lower Cholesky factors, of slightly raised diagonals only where it cannot be done otherwise.

    Args:
        matrices: (P, n, n) symmetric.

    Returns:
        (P, n, n); NaN for a matrix that is not finite or far from definite.
    """
    greatest = matrices.detach().diagonal(dim1=-2, dim2=-1).amax(dim=-1)
    factors: Tensor
    factors, failed = torch.linalg.cholesky_ex(matrices)
    for jitter in JITTERS:
        if not bool(failed.any()):
            return factors
        raised = torch.where(failed > 0, jitter * greatest, 0.0)
        diagonals = raised[:, None].expand(matrices.shape[:2]).diag_embed()
        factors, failed = torch.linalg.cholesky_ex(matrices + diagonals)
    return factors.masked_fill((failed > 0)[:, None, None], math.nan)
