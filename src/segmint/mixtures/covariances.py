"""The four kinds of covariance, each as coefficients of the features of a sample.

The log-density of every kind is linear in a few features of a sample: 1, its values, and their
products. So the densities of a chunk are one small matrix product, and so are the sums from which
the parameters follow. Means and covariances are float64 arrays in standardized units.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]

LOG_2_PI = math.log(2 * math.pi)


class Covariance(ABC):
    """What expectation maximization needs to know of one kind of covariance."""

    one_scale = False
    """True where all channels must be scaled alike, because the kind looks across channels."""

    shared = False
    """True where the components share one covariance."""

    @abstractmethod
    def products(self, channels: int) -> int:
        """Number of features after the 1 and the values."""

    @abstractmethod
    def multiply(self, columns: Tensor, out: Tensor) -> None:
        """Write the products of (M, n) samples into the rows of ``out``."""

    @abstractmethod
    def coefficients(self, means: Array, covariances: Array) -> Array:
        """(K, P) coefficients of the features in the log-densities (nats)."""

    @abstractmethod
    def maximize(self, moments: Array, weights: Array, channels: int, floor: float) -> Array:
        """Covariances of greatest likelihood with no variance below ``floor``.

        Args:
            moments: (K, P) mean of each feature in each component; column 0 is 1.
            weights: (K,) weights of the components.
            channels: M.
            floor: least variance in any direction.
        """

    @abstractmethod
    def limit(self, covariances: Array, floor: float) -> Array:
        """The covariances with no variance below ``floor``."""

    @abstractmethod
    def narrowest(self, covariances: Array) -> float:
        """The least variance of any component in any direction."""

    @abstractmethod
    def rescale(self, covariances: Array, scale: Array) -> Array:
        """The covariances of samples multiplied by ``scale`` (M,)."""

    @abstractmethod
    def shape(self, components: int, channels: int) -> tuple[int, ...]:
        """Shape of the array of covariances."""

    @abstractmethod
    def spread(self, components: int, variances: Array) -> Array:
        """Equal covariances without correlation, from one variance for each channel."""

    def proper(self, covariances: Array) -> bool:
        """Whether every variance is positive and every matrix symmetric."""
        return self.narrowest(covariances) > 0

    @abstractmethod
    def free(self, components: int, channels: int) -> int:
        """Number of free parameters."""


class _Diagonal(Covariance):
    """One variance for each component and channel: (K, M)."""

    def products(self, channels: int) -> int:
        return channels

    def multiply(self, columns: Tensor, out: Tensor) -> None:
        import torch

        torch.mul(columns, columns, out=out)

    def coefficients(self, means: Array, covariances: Array) -> Array:
        precisions = 1 / covariances
        constant = -0.5 * (means**2 * precisions + np.log(covariances) + LOG_2_PI).sum(axis=1)
        return np.hstack([constant[:, None], means * precisions, -0.5 * precisions])

    def maximize(self, moments: Array, weights: Array, channels: int, floor: float) -> Array:
        means, squares = moments[:, 1 : 1 + channels], moments[:, 1 + channels :]
        return np.maximum(squares - means**2, floor)

    def limit(self, covariances: Array, floor: float) -> Array:
        return np.maximum(covariances, floor)

    def narrowest(self, covariances: Array) -> float:
        return float(covariances.min())

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return covariances * scale**2

    def shape(self, components: int, channels: int) -> tuple[int, ...]:
        return components, channels

    def spread(self, components: int, variances: Array) -> Array:
        return np.tile(variances, (components, 1))

    def free(self, components: int, channels: int) -> int:
        return components * channels


class _Spherical(Covariance):
    """One variance for each component, the same in all channels: (K,)."""

    one_scale = True

    def products(self, channels: int) -> int:
        return 1

    def multiply(self, columns: Tensor, out: Tensor) -> None:
        import torch

        torch.sum(columns * columns, dim=0, keepdim=True, out=out)

    def coefficients(self, means: Array, covariances: Array) -> Array:
        precisions = 1 / covariances[:, None]
        squares = (means**2).sum(axis=1, keepdims=True)
        constant = -0.5 * (squares * precisions - means.shape[1] * (np.log(precisions) - LOG_2_PI))
        return np.hstack([constant, means * precisions, -0.5 * precisions])

    def maximize(self, moments: Array, weights: Array, channels: int, floor: float) -> Array:
        means, squares = moments[:, 1 : 1 + channels], moments[:, 1 + channels]
        variances = (squares - (means**2).sum(axis=1)) / channels
        return np.asarray(np.maximum(variances, floor))

    def limit(self, covariances: Array, floor: float) -> Array:
        return np.maximum(covariances, floor)

    def narrowest(self, covariances: Array) -> float:
        return float(covariances.min())

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return np.asarray(covariances * scale[0] ** 2)

    def shape(self, components: int, channels: int) -> tuple[int, ...]:
        return (components,)

    def spread(self, components: int, variances: Array) -> Array:
        return np.full(components, variances.mean())

    def free(self, components: int, channels: int) -> int:
        return components


class _Full(Covariance):
    """One matrix for each component: (K, M, M)."""

    def products(self, channels: int) -> int:
        return channels * (channels + 1) // 2

    def multiply(self, columns: Tensor, out: Tensor) -> None:
        import torch

        start = 0
        for first in range(len(columns)):
            stop = start + len(columns) - first
            torch.mul(columns[first], columns[first:], out=out[start:stop])
            start = stop

    def coefficients(self, means: Array, covariances: Array) -> Array:
        values, vectors = np.linalg.eigh(covariances)
        precisions = (vectors / values[:, None]) @ vectors.transpose(0, 2, 1)
        linear = (precisions @ means[:, :, None])[:, :, 0]
        constant = -0.5 * ((means * linear).sum(axis=1) + (np.log(values) + LOG_2_PI).sum(axis=1))
        rows, columns = np.triu_indices(means.shape[1])
        products = precisions[:, rows, columns] * np.where(rows == columns, -0.5, -1.0)
        return np.hstack([constant[:, None], linear, products])

    def maximize(self, moments: Array, weights: Array, channels: int, floor: float) -> Array:
        return _limit_eigenvalues(self._centered(moments, channels), floor)

    def limit(self, covariances: Array, floor: float) -> Array:
        return _limit_eigenvalues(covariances, floor)

    def narrowest(self, covariances: Array) -> float:
        return float(np.linalg.eigvalsh(covariances).min())

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return covariances * np.outer(scale, scale)

    def shape(self, components: int, channels: int) -> tuple[int, ...]:
        return components, channels, channels

    def spread(self, components: int, variances: Array) -> Array:
        return np.tile(np.diag(variances), (components, 1, 1))

    def free(self, components: int, channels: int) -> int:
        return components * self.products(channels)

    def proper(self, covariances: Array) -> bool:
        return np.allclose(covariances, np.swapaxes(covariances, -1, -2)) and super().proper(
            covariances
        )

    def _centered(self, moments: Array, channels: int) -> Array:
        means, products = moments[:, 1 : 1 + channels], moments[:, 1 + channels :]
        rows, columns = np.triu_indices(channels)
        matrices = np.empty((len(moments), channels, channels))
        matrices[:, rows, columns] = products
        matrices[:, columns, rows] = products
        return matrices - means[:, :, None] * means[:, None, :]


class _Tied(_Full):
    """One matrix for all components: (M, M)."""

    shared = True

    def coefficients(self, means: Array, covariances: Array) -> Array:
        return super().coefficients(means, np.broadcast_to(covariances, self._all(means)))

    def maximize(self, moments: Array, weights: Array, channels: int, floor: float) -> Array:
        matrices = self._centered(moments, channels)
        return _limit_eigenvalues(np.tensordot(weights, matrices, axes=1), floor)

    def shape(self, components: int, channels: int) -> tuple[int, ...]:
        return channels, channels

    def spread(self, components: int, variances: Array) -> Array:
        return np.diag(variances)

    def free(self, components: int, channels: int) -> int:
        return self.products(channels)

    def _all(self, means: Array) -> tuple[int, int, int]:
        return len(means), means.shape[1], means.shape[1]


def _limit_eigenvalues(matrices: Array, floor: float) -> Array:
    """Clamp from below: the exact maximum of the likelihood under that bound."""
    values, vectors = np.linalg.eigh(matrices)
    if values.min() >= floor:
        return matrices
    limited = np.maximum(values, floor)[..., None, :]
    return np.asarray((vectors * limited) @ np.swapaxes(vectors, -1, -2))


KINDS: dict[str, Covariance] = {
    "diag": _Diagonal(),
    "full": _Full(),
    "spherical": _Spherical(),
    "tied": _Tied(),
}
