"""The E-step of the mixture whose weights vary.

Weights are kept as logarithms to base 2, up to a number for each sample: the greatest is 0. That
number matters to the likelihood alone, and there only its sum does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from segmint.mixtures.expectation import Spaces, Sums, base_2, log2_sum, mixed, total
from segmint.mixtures.standardized import Standardized, parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.crew import Crew


def varying_expectation(
    data: Standardized,
    natural: NDArray[np.float64],
    log_weights: tuple[Tensor, Tensor],
    spaces: Spaces,
    dtype: torch.dtype,
    crew: Crew,
) -> Sums:
    """One E-step: the responsibilities under the weights of each sample.

    Args:
        data: the samples.
        natural: (K, P) coefficients of the log-densities, nats.
        log_weights: (K, N) logarithms of the weights, and where those of the responsibilities go.
        spaces: buffers.
        dtype: to compute in.
        crew: who computes.

    Returns:
        The sums; their ``excess`` is that of the new weights.
    """
    coefficients = base_2(natural, dtype, spaces.device)
    before, after = log_weights

    def chunk(part: slice) -> tuple[Tensor, Tensor]:
        space = spaces.of(dtype)
        features = space.features(data.columns[:, part])
        shares = space.log_densities(features, coefficients)
        shares += before[:, part]
        highest = shares.amax(dim=0)
        torch.sub(shares, highest, out=after[:, part])
        torch.exp2(after[:, part], out=shares)
        mass = shares.sum(dim=0)
        excess = log2_sum(mass)
        logarithms = torch.stack((highest.sum(dtype=torch.float64) + excess, excess))
        return mixed(features, shares.mul_(mass.reciprocal_())), logarithms

    return total(crew.map(chunk, parts(data.columns.shape[1], spaces.rows)))


def normalize(log_weights: Tensor, rows: int, crew: Crew) -> None:
    """Make (K, N) weights sum to 1, in place."""

    def chunk(part: slice) -> None:
        logarithms = log_weights[:, part]
        logarithms -= logarithms.amax(dim=0)
        logarithms -= logarithms.exp2().sum(dim=0).log2_()

    crew.map(chunk, parts(log_weights.shape[1], rows))
