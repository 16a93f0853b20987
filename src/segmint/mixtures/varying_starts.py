"""What the mixture with varying weights starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from segmint.mixtures.checks import as_start_weights
from segmint.mixtures.expectation import NEVER
from segmint.mixtures.parameters import Parameters
from segmint.mixtures.standardized import Standardized
from segmint.mixtures.starts import (
    Options,
    from_shares,
    given_covariances,
    random_responsibilities,
    starts,
)

if TYPE_CHECKING:
    from torch import Tensor

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.crew import Crew


def varying_start(
    data: Standardized, kind: Covariance, options: Options, crew: Crew
) -> tuple[Parameters, Tensor]:
    """Parameters, and (K, N) logarithms (base 2) of the weights.

    Raises:
        InputError: for given values of another shape or range.
    """
    count, components = data.columns.shape[1], options.n_components
    given = as_start_weights(options.weights_init, (components,), (count, components))
    weights = None if given is None else torch.from_numpy(given).to(data.columns.device)
    own = weights is not None and weights.ndim == 2
    log_weights = data.columns.new_empty(components, count)
    if options.means_init is None and (own or (weights is None and options.init == "random")):
        shares = _noted(_shares(weights, options, data.columns.device), log_weights)
        return _one_step(data, shares, kind, options, crew), log_weights
    shared = None if given is None or own else given
    parameters = next(starts(data, kind, options, shared, crew))
    if weights is None or not own:
        weights = torch.from_numpy(parameters.weights)[None].to(data.columns.device)
    log_weights.copy_(_logarithm(weights).T)
    return parameters, log_weights


def _shares(
    weights: Tensor | None, options: Options, device: torch.device
) -> Callable[[slice], Tensor]:
    def given_or_random(part: slice) -> Tensor:
        if weights is not None:
            return weights[part].T
        return random_responsibilities(part, options.n_components, options.seed).to(device)

    return given_or_random


def _noted(shares: Callable[[slice], Tensor], log_weights: Tensor) -> Callable[[slice], Tensor]:
    """The same responsibilities, which become weights on the way."""

    def noted(part: slice) -> Tensor:
        share = shares(part)
        log_weights[:, part] = _logarithm(share)
        return share

    return noted


def _one_step(
    data: Standardized,
    shares: Callable[[slice], Tensor],
    kind: Covariance,
    options: Options,
    crew: Crew,
) -> Parameters:
    components, floor = options.n_components, options.min_variance
    parameters = from_shares(data, shares, kind, components, floor, crew)
    covariances = given_covariances(options.covariances_init, data, kind, components, floor)
    return parameters if covariances is None else replace(parameters, covariances=covariances)


def _logarithm(weights: Tensor) -> Tensor:
    return weights.log2().clamp_(min=NEVER)
