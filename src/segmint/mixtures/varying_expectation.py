"""The E-step of the mixture whose weights vary.

Weights are kept as logarithms to base 2, up to a number for each sample: the greatest is 0. That
number matters to the likelihood alone, and there only its sum does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from segmint.mixtures.expectation import Spaces, Sums, base_2, log2_sum, mixed, total, wide_sum
from segmint.mixtures.standardized import Standardized, parts

MOST_KEPT = 1 << 22
"""Features are kept up to so many numbers, 16 MiB in float32: then reading beats making them."""

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.crew import Crew


def varying_expectation(
    data: Standardized,
    natural: NDArray[np.float64],
    log_weights: tuple[Tensor, Tensor],
    kept: KeptFeatures,
    dtype: torch.dtype,
    crew: Crew,
) -> Sums:
    """One E-step: the responsibilities under the weights of each sample.

    Args:
        data: the samples.
        natural: (K, P) coefficients of the log-densities, nats.
        log_weights: (K, N) logarithms of the weights, and where those of the responsibilities go.
        kept: features and buffers.
        dtype: to compute in.
        crew: who computes.

    Returns:
        The sums; their ``excess`` is that of the new weights.
    """
    coefficients = base_2(natural, dtype, kept.spaces.device)
    before, after = log_weights

    def chunk(part: slice) -> tuple[Tensor, Tensor]:
        features = kept.features(data, part, dtype)
        space = kept.spaces.of(dtype)
        shares = space.joint(before[:, part], features, coefficients)
        highest = space.highest(shares)
        torch.sub(shares, highest, out=after[:, part])
        torch.exp2(after[:, part], out=shares)
        mass = space.mass(shares)
        excess = log2_sum(mass)
        logarithms = torch.stack((wide_sum(highest) + excess, excess))
        return mixed(features, shares.mul_(mass.reciprocal_())), logarithms

    return total(crew.map(chunk, parts(data.columns.shape[1], kept.spaces.rows)))


class KeptFeatures:
    """The features of the samples, kept from one iteration to the next where they are few.

    Args:
        spaces: buffers, in which features that are not kept are made anew.
        numbers: how many numbers all features are.
    """

    def __init__(self, spaces: Spaces, numbers: int) -> None:
        self.spaces = spaces
        self._keeps = numbers <= MOST_KEPT
        self._kept: dict[tuple[int, torch.dtype], Tensor] = {}

    def features(self, data: Standardized, part: slice, dtype: torch.dtype) -> Tensor:
        """(P, n) of a slice of the samples."""
        key = part.start, dtype
        if key in self._kept:
            return self._kept[key]
        features = self.spaces.of(dtype).features(data.columns[:, part])
        if self._keeps:
            features = self._kept[key] = features.clone()
        return features


def normalize(log_weights: Tensor, rows: int, crew: Crew) -> None:
    """Make (K, N) weights sum to 1, in place."""

    def chunk(part: slice) -> None:
        logarithms = log_weights[:, part]
        logarithms -= logarithms.amax(dim=0)
        logarithms -= logarithms.exp2().sum(dim=0).log2_()

    crew.map(chunk, parts(log_weights.shape[1], rows))
