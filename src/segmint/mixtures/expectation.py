"""The E-step over cache-sized chunks, with the sums that the M-step needs."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from segmint.mixtures.standardized import Standardized, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.crew import Crew

    Array = NDArray[np.float64]

LOG_2 = math.log(2)
NEVER = -1e30
"""Logarithm of a weight of 0: finite, so that no sum with it is NaN."""
CHUNK_BYTES = 1 << 22
"""What a chunk's features and responsibilities may take: in smaller chunks the calls take longer
than the arithmetic."""
CHUNK_BYTES_GPU = 1 << 28
CHUNKS = 2
"""Chunks that many samples are cut into at least, so that threads share them evenly."""
FEW = 1 << 12
"""Samples that are not cut."""
BLOCK = 512
"""Products that are added up in float32 before float64 takes over: pixels of few distinct values
round alike, so that errors of longer sums add up, too."""
HARMLESS = 1e-3
"""Largest error of a log-density that float32 may make."""


def rounding_error(peak: float, narrowest: float) -> float:
    """Bound on the rounding error of a float32 log-density.

    The expansion adds up terms of size up to ``peak**2 / narrowest``, each rounded to 24 bits.

    Args:
        peak: largest magnitude of a standardized value or mean.
        narrowest: least variance of a component, standardized.
    """
    return 2.0**-24 * peak * peak / narrowest


def arithmetic(stored: torch.dtype, peak: float, narrowest: float) -> torch.dtype:
    """The type to compute in: float32 while that is harmless and not shortened further."""
    if stored == torch.float64 or rounding_error(peak, narrowest) > HARMLESS:
        return torch.float64
    shortened = torch.get_float32_matmul_precision() != "highest"
    return torch.float64 if shortened else torch.float32


def chunk_rows(
    kind: Covariance, components: int, channels: int, count: int, device: torch.device
) -> int:
    """Samples in a chunk: all if few, else an even share that stays in cache."""
    numbers = 1 + channels + kind.products(channels) + components
    budget = CHUNK_BYTES if device.type == "cpu" else CHUNK_BYTES_GPU
    fitting = max(256, budget // (4 * numbers))
    if device.type != "cpu":
        return fitting
    return min(fitting, max(FEW, -(-count // CHUNKS))) // BLOCK * BLOCK + BLOCK


class Space:
    """Buffers for chunks of one size and type, used again and again by one thread."""

    def __init__(
        self,
        kind: Covariance,
        shape: tuple[int, int, int],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        components, channels, rows = shape
        self.kind, self.channels, self.dtype, self.device = kind, channels, dtype, device
        count = 1 + channels + kind.products(channels)
        self._features = torch.ones(count, rows, dtype=dtype, device=device)
        self._logarithms = torch.empty(components, rows, dtype=dtype, device=device)
        # New rows for every chunk would cost more than what is computed in them.
        self._highest = torch.empty(rows, dtype=dtype, device=device)
        self._mass = torch.empty(rows, dtype=dtype, device=device)

    def features(self, columns: Tensor) -> Tensor:
        """(P, n) features of (M, n) samples: 1, the values, their products."""
        features = self._features[:, : columns.shape[1]]
        values = features[1 : 1 + self.channels]
        values.copy_(columns)
        self.kind.multiply(values, features[1 + self.channels :])
        return features

    def log_densities(self, features: Tensor, coefficients: Tensor) -> Tensor:
        """(K, n) log-densities to base 2."""
        return torch.mm(coefficients, features, out=self._logarithms[:, : features.shape[1]])

    def highest(self, logarithms: Tensor) -> Tensor:
        """(n,) greatest of (K, n)."""
        return torch.amax(logarithms, dim=0, out=self._highest[: logarithms.shape[1]])

    def mass(self, shares: Tensor) -> Tensor:
        """(n,) sums of (K, n)."""
        return torch.sum(shares, dim=0, out=self._mass[: shares.shape[1]])

    def joint(self, before: Tensor, features: Tensor, coefficients: Tensor) -> Tensor:
        """(K, n) log-densities added to logarithms (K, n), to base 2."""
        out = self._logarithms[:, : features.shape[1]]
        return torch.addmm(before.to(self.dtype), coefficients, features, out=out)


class Spaces:
    """The buffers of every thread, for float32 and for float64, made when first needed.

    Args:
        kind: of the covariances.
        components: K.
        channels: M.
        count: N.
        device: where they lie.
    """

    def __init__(
        self, kind: Covariance, components: int, channels: int, count: int, device: torch.device
    ) -> None:
        self.rows = chunk_rows(kind, components, channels, count, device)
        self.kind, self.device = kind, device
        self._shape = components, channels, min(self.rows, count)
        self._own = threading.local()

    def of(self, dtype: torch.dtype) -> Space:
        """The calling thread's buffers of a type."""
        made: dict[str, Space] = self._own.__dict__
        name = str(dtype)
        if name not in made:
            made[name] = Space(self.kind, self._shape, dtype, self.device)
        return made[name]


@dataclass(frozen=True)
class Sums:
    """What one pass over the samples adds up, in float64."""

    statistics: Array
    """(K, P) features, weighted by the responsibilities."""
    logarithm: float
    """Log-likelihood to base 2."""
    excess: float = 0.0
    """Logarithm to base 2 of what the weights of all samples multiply to."""

    def mean_log_likelihood(self, count: int) -> float:
        """In nats and standardized units, for weights that sum to ``count``."""
        return self.logarithm * LOG_2 / count


def total(found: list[tuple[Tensor, Tensor]]) -> Sums:
    """Add up (P, K) features and logarithms of the chunks."""
    features = torch.stack([features for features, _ in found]).double().sum(dim=0)
    logarithms = torch.stack([logarithms for _, logarithms in found]).double().sum(dim=0)
    statistics = np.ascontiguousarray(features.T.cpu().numpy())
    return Sums(statistics, *logarithms.reshape(-1).tolist())


def log2_sum(masses: Tensor) -> Tensor:
    """Sum of the logarithms to base 2 of (n,) numbers from 1 to 255.

    Eight at a time are multiplied first, since a logarithm costs more than a row of products.
    """
    even = len(masses) // 8 * 8
    products = masses[:even].view(8, -1).prod(dim=0)
    return wide_sum(products.log2_()) + masses[even:].log2().sum(dtype=torch.float64)


def wide_sum(values: Tensor) -> Tensor:
    """Sum of (n,) in float64, blocks of which are added up as they are: much faster than each."""
    even = len(values) // BLOCK * BLOCK
    blocks = values[:even].view(-1, BLOCK).sum(dim=1)
    return blocks.sum(dtype=torch.float64) + values[even:].sum(dtype=torch.float64)


def mixed(features: Tensor, shares: Tensor) -> Tensor:
    """(P, K) features (P, n) summed with responsibilities (K, n)."""
    if features.dtype == torch.float64:
        return torch.mm(features, shares.T)
    count = features.shape[1] // BLOCK
    even = count * BLOCK
    blocks = torch.bmm(
        features[:, :even].view(len(features), count, BLOCK).transpose(0, 1),
        shares[:, :even].view(len(shares), count, BLOCK).permute(1, 2, 0),
    )
    rest = torch.mm(features[:, even:], shares[:, even:].T)
    return blocks.sum(dim=0, dtype=torch.float64) + rest


def base_2(natural: Array, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Coefficients in nats as coefficients to base 2."""
    coefficients = natural / LOG_2
    # A component this far away must not win by its linear part alone.
    lost = coefficients[:, 0] <= NEVER
    coefficients[lost] = 0.0
    coefficients[lost, 0] = NEVER
    return torch.from_numpy(coefficients).to(device, dtype)


def expectation(
    data: Standardized, natural: Array, spaces: Spaces, dtype: torch.dtype, crew: Crew
) -> Sums:
    """One E-step of a mixture.

    Args:
        data: the samples.
        natural: (K, P) coefficients of log weight plus log-density, nats.
        spaces: buffers.
        dtype: to compute in.
        crew: who computes.
    """
    coefficients = base_2(natural, dtype, spaces.device)

    def chunk(part: slice) -> tuple[Tensor, Tensor]:
        space = spaces.of(dtype)
        features = space.features(data.columns[:, part])
        shares = space.log_densities(features, coefficients)
        highest = space.highest(shares)
        shares.sub_(highest).exp2_()
        mass = space.mass(shares)
        if data.weights is None:
            logarithm = wide_sum(highest) + log2_sum(mass)
            mass.reciprocal_()
        else:
            logarithm = torch.dot(data.weights[part].double(), (highest + mass.log2()).double())
            mass.reciprocal_().mul_(data.weights[part])
        return mixed(features, shares.mul_(mass)), logarithm

    return total(crew.map(chunk, parts(data.columns.shape[1], spaces.rows)))


def weigh(
    data: Standardized, shares: Callable[[slice], Tensor], spaces: Spaces, crew: Crew
) -> Array:
    """(K, P) sums of the features for given responsibilities.

    Args:
        data: the samples.
        shares: gives the (K, n) responsibilities of a slice of ``spaces.rows`` samples.
        spaces: buffers.
        crew: who computes.
    """

    def chunk(part: slice) -> tuple[Tensor, Tensor]:
        features = spaces.of(torch.float64).features(data.columns[:, part])
        weights = shares(part).double()
        if data.weights is not None:
            weights *= data.weights[part]
        return torch.mm(features, weights.T), features.new_zeros(())

    return total(crew.map(chunk, parts(data.columns.shape[1], spaces.rows))).statistics


def natural_with_weights(natural: Array, weights: Array) -> Array:
    """Add the log weights to the coefficients of the constant feature."""
    combined = natural.copy()
    alive = weights > 0
    combined[alive, 0] += np.log(weights[alive])
    combined[~alive] = 0.0
    combined[~alive, 0] = NEVER
    return combined
