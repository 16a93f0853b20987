"""Iterations of the mixture whose weights vary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from segmint.mixtures.climbing import Limits, fitting_type
from segmint.mixtures.covariances import KINDS
from segmint.mixtures.expectation import LOG_2, Spaces, Sums, weigh
from segmint.mixtures.parameters import Parameters, maximize
from segmint.mixtures.standardized import Standardized
from segmint.mixtures.varying_expectation import KeptFeatures, normalize, varying_expectation

if TYPE_CHECKING:
    from torch import Tensor

    from segmint.mixtures.crew import Crew
    from segmint.mixtures.smoothing import Neighbors


@dataclass(frozen=True)
class VaryingClimb:
    """Where a start led."""

    parameters: Parameters
    weights: Tensor
    """(K, N)."""
    bounds: list[float]
    """Mean log-likelihood (standardized units) after each iteration."""
    converged: bool


def climb(
    data: Standardized,
    start: tuple[Parameters, Tensor],
    neighbors: Neighbors | None,
    limits: Limits,
    crew: Crew,
) -> VaryingClimb:
    """Iterate until the mean log-likelihood changes by less than ``tol``.

    The likelihood after an iteration is the normalizer of the next E-step. So that step is done,
    into a second array of weights, and when it was one too many the first array still holds.

    Args:
        data: the samples.
        start: parameters, and (K, N) logarithms of the weights to base 2, which are overwritten.
        neighbors: what smooths the weights, or None.
        limits: when to stop.
        crew: who computes.
    """
    parameters, current = start
    following = torch.empty_like(current)
    kind, (channels, count) = KINDS["diag"], data.columns.shape
    spaces = Spaces(kind, len(current), channels, count, current.device)
    kept = KeptFeatures(spaces, count * (1 + channels + kind.products(channels)))

    def step() -> Sums:
        dtype = fitting_type(data, parameters, kind)
        natural = kind.coefficients(parameters.means, parameters.covariances)
        weights = current, following
        return varying_expectation(data, natural, weights, kept, dtype, crew)

    bounds: list[float] = []
    converged = False
    sums = step()
    while len(bounds) < limits.max_iter and not converged:
        statistics, excess = sums.statistics, sums.excess
        current, following = following, current
        if neighbors is not None:
            normalize(current, spaces.rows, crew)
            neighbors.smooth(current, crew)
            normalize(current, spaces.rows, crew)
            statistics, excess = weigh(data, _weights_of(current), spaces, crew), 0.0
        parameters = maximize(statistics, parameters, kind, channels, limits.min_variance)
        sums = step()
        bounds.append((sums.logarithm - excess) * LOG_2 / count)
        converged = len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < limits.tol
    normalize(current, spaces.rows, crew)
    return VaryingClimb(parameters, current.exp2_(), bounds, converged)


def _weights_of(log_weights: Tensor) -> Callable[[slice], Tensor]:
    return lambda part: log_weights[:, part].exp2()
