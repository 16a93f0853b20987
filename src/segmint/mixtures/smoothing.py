"""Weights that follow those of their neighbors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.crew import Crew


class Neighbors:
    """One mean-field step of a Potts model on a grid.

    Args:
        grid: (H, W) or (D, H, W) boolean, True where the samples lie.
        strength: factor of the mean weight of the neighbors.
        device: where the weights lie.
    """

    def __init__(self, grid: NDArray[np.bool_], strength: float, device: torch.device) -> None:
        self._inside = torch.from_numpy(grid.copy()).to(device)
        self._exponent = strength / math.log(2)
        counts = _neighbor_sums(self._inside.double())[self._inside]
        self._share = counts.clamp_(min=1).reciprocal_()

    def smooth(self, log_weights: Tensor, crew: Crew) -> None:
        """Multiply each weight by exp(strength * mean weight of the neighbors), in place.

        The neighbors are the 4 (6 in a volume) that touch and lie inside.

        Args:
            log_weights: (K, N) to base 2, normalized before and no more after.
            crew: who computes.
        """

        def add(weights: Tensor) -> None:
            plane = weights.new_zeros(self._inside.shape)
            plane[self._inside] = weights.exp2()
            means = _neighbor_sums(plane)[self._inside] * self._share
            weights += self._exponent * means

        crew.map(add, log_weights)


def _neighbor_sums(plane: Tensor) -> Tensor:
    """Sum of the neighbors along every axis."""
    sums = torch.zeros_like(plane)
    for axis, size in enumerate(plane.shape):
        low, high = plane.narrow(axis, 0, size - 1), plane.narrow(axis, 1, size - 1)
        sums.narrow(axis, 0, size - 1).add_(high)
        sums.narrow(axis, 1, size - 1).add_(low)
    return sums
