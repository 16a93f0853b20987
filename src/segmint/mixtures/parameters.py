"""The parameters of a mixture, the M-step, and the way to and from the units of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.standardized import Scaling

    Array = NDArray[np.float64]

NOTHING = 1e-10
"""A component with less than this part of one sample is empty: its share is rounding."""


@dataclass(frozen=True)
class Parameters:
    """Weights (K,), means (K, M) and covariances, standardized."""

    weights: Array
    means: Array
    covariances: Array

    def reach(self) -> float:
        """Largest magnitude of a mean, of the components that have weight."""
        return float(np.abs(self.means[self.weights > 0]).max(initial=0.0))


def maximize(
    statistics: Array, last: Parameters | None, kind: Covariance, channels: int, floor: float
) -> Parameters:
    """The M-step: closed forms from the sums of the features.

    Args:
        statistics: (K, P) features summed with the responsibilities.
        last: what a component without weight keeps; None starts it at the center of the data.
        kind: of the covariances.
        channels: M.
        floor: least variance.
    """
    mass = statistics[:, 0]
    alive = mass > NOTHING
    moments = statistics / np.where(alive, mass, 1.0)[:, None]
    moments[~alive] = 0.0
    weights = np.where(alive, mass, 0.0)
    weights /= weights.sum()
    means = moments[:, 1 : 1 + channels].copy()
    covariances = kind.maximize(moments, weights, channels, floor)
    if last is not None:
        means[~alive] = last.means[~alive]
        if not kind.shared:
            covariances[~alive] = last.covariances[~alive]
    return Parameters(weights, means, covariances)


def standardized_means(means: Array, scaling: Scaling) -> Array:
    """Means in the units of the samples, standardized."""
    return (means - scaling.shift) / scaling.scale


def natural_means(means: Array, scaling: Scaling) -> Array:
    """Standardized means in the units of the samples."""
    return means * scaling.scale + scaling.shift
