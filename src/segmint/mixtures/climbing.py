"""From a start up to a maximum of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from segmint.mixtures.expectation import (
    Spaces,
    arithmetic,
    expectation,
    natural_with_weights,
)
from segmint.mixtures.parameters import Parameters, maximize

if TYPE_CHECKING:
    import torch

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.crew import Crew
    from segmint.mixtures.standardized import Standardized


class Limits(Protocol):
    """The options of a mixture that end its iterations."""

    tol: float
    max_iter: int
    min_variance: float


@dataclass(frozen=True)
class Climb:
    """Where a start led."""

    parameters: Parameters
    bounds: list[float]
    """Mean log-likelihood (standardized units) found by each E-step."""
    converged: bool


def climb(
    data: Standardized, start: Parameters, kind: Covariance, limits: Limits, crew: Crew
) -> Climb:
    """Iterate E-step and M-step until the mean log-likelihood changes by less than ``tol``."""
    channels, count = data.columns.shape
    spaces = Spaces(kind, len(start.weights), channels, count, data.columns.device)
    parameters, bounds, converged = start, list[float](), False
    while len(bounds) < limits.max_iter and not converged:
        natural = kind.coefficients(parameters.means, parameters.covariances)
        natural = natural_with_weights(natural, parameters.weights)
        dtype = fitting_type(data, parameters, kind)
        sums = expectation(data, natural, spaces, dtype, crew)
        bounds.append(sums.mean_log_likelihood(count))
        parameters = maximize(sums.statistics, parameters, kind, channels, limits.min_variance)
        converged = len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < limits.tol
    return Climb(parameters, bounds, converged)


def fitting_type(data: Standardized, parameters: Parameters, kind: Covariance) -> torch.dtype:
    """The cheapest arithmetic that evaluates these parameters without harm."""
    peak = max(data.peak, parameters.reach())
    return arithmetic(data.columns.dtype, peak, kind.narrowest(parameters.covariances))
