"""Samples, shifted and scaled channel by channel so that squares do not cancel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.errors import InputError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.crew import Crew

    Array = NDArray[np.float64]

ROWS = 1 << 15
"""Samples read at a time."""
LARGEST = 1e150
"""Beyond this, squares of values leave the range of float64."""
FARTHEST = 1e100
"""Standardized values are cut here, so that samples far from all fitted ones stay finite."""
SMALL = 1 << 15
"""With fewer samples than this, float64 costs nothing worth saving."""


@dataclass(frozen=True)
class Scaling:
    """Where the samples lie: standardized values are ``(samples - shift) / scale``."""

    shift: Array
    scale: Array
    variances: Array
    """(M,) of the standardized samples: 1, or 0 in a constant channel."""

    def columns(self, samples: NDArray[Any]) -> Array:
        """(M, n) standardized values of (n, M) samples."""
        values = np.array(samples.T, np.float64, order="C")
        with np.errstate(over="ignore"):
            values -= self.shift[:, None]
            values /= self.scale[:, None]
        return np.clip(values, -FARTHEST, FARTHEST, out=values)

    @property
    def volume(self) -> float:
        """Logarithm of what a standardized unit volume is in the units of the samples."""
        return float(np.log(self.scale).sum())


@dataclass(frozen=True)
class Standardized:
    """All samples as (M, N) columns on a device, with their weights of mean 1."""

    columns: Tensor
    weights: Tensor | None
    scaling: Scaling
    peak: float
    """Largest magnitude of a standardized value."""


def standardize(
    samples: NDArray[Any],
    weight: Array | None,
    *,
    one_scale: bool,
    device: torch.device,
    crew: Crew,
) -> Standardized:
    """Measure (N, M) samples and copy them, standardized.

    Many float16 or float32 samples take float32; the rest takes float64, integers because their
    few distinct values would round alike.

    Args:
        samples: (N, M).
        weight: (N,), all positive, or None.
        one_scale: scale all channels alike.
        device: where the copy lies.
        crew: who computes.

    Raises:
        InputError: when values are not finite.
    """
    import torch

    scaling = measure(samples, weight, one_scale=one_scale, crew=crew)
    count, channels = samples.shape
    narrow = count >= SMALL and samples.dtype.kind == "f" and not is_wide(samples)
    dtype = torch.float32 if narrow else torch.float64
    columns = torch.empty(channels, count, dtype=dtype, device=device)

    def copy(part: slice) -> float:
        chunk = scaling.columns(samples[part])
        columns[:, part] = torch.from_numpy(chunk)
        return float(np.abs(chunk, out=chunk).max())

    peak = max(crew.map(copy, parts(count)))
    weights = None
    if weight is not None:
        weights = torch.from_numpy(weight / weight.mean()).to(device, dtype)
    return Standardized(columns, weights, scaling, peak)


def is_wide(samples: NDArray[Any]) -> bool:
    """Whether float32 does not hold the samples exactly."""
    return not np.can_cast(samples.dtype, np.float32)


def parts(count: int, rows: int = ROWS) -> Iterator[slice]:
    """Slices that cover so many samples."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


@dataclass(frozen=True)
class Moments:
    """What a chunk says of each channel."""

    low: Array
    high: Array
    mass: float
    mean: Array
    squares: Array
    """Summed squared distances to the mean."""


def moments(chunk: Array, weights: Array | None) -> Moments:
    """Of (M, n) samples, which are overwritten.

    Raises:
        InputError: when values are not finite or too large to be squared.
    """
    low, high = chunk.min(axis=1), chunk.max(axis=1)
    _check_range(low, high)
    mass = float(chunk.shape[1] if weights is None else weights.sum())
    mean = _sums(chunk, weights) / mass
    chunk -= mean[:, None]
    np.square(chunk, out=chunk)
    return Moments(low, high, mass, mean, _sums(chunk, weights))


def _sums(chunk: Array, weights: Array | None) -> Array:
    """Of each row, without a matrix product, which would wake threads of its own."""
    if weights is None:
        return np.asarray(chunk.sum(axis=1))
    return np.asarray(np.einsum("mn,n->m", chunk, weights))


def joined(first: Moments, second: Moments) -> Moments:
    """Of two chunks together (Chan, Golub and LeVeque 1983)."""
    mass = first.mass + second.mass
    step = second.mean - first.mean
    between = step**2 * (first.mass * second.mass / mass)
    return Moments(
        np.minimum(first.low, second.low),
        np.maximum(first.high, second.high),
        mass,
        first.mean + step * (second.mass / mass),
        first.squares + second.squares + between,
    )


def measure(samples: NDArray[Any], weight: Array | None, *, one_scale: bool, crew: Crew) -> Scaling:
    """Weighted mean and deviation of each channel.

    Raises:
        InputError: when values are not finite or too large to be squared.
    """

    def chunk(part: slice) -> Moments:
        columns = np.array(samples[part].T, np.float64, order="C")
        return moments(columns, None if weight is None else weight[part])

    found = reduce(joined, crew.map(chunk, parts(len(samples))))
    constant = (found.low == found.high) | (found.squares == 0)
    variances = np.where(constant, 0.0, found.squares / found.mass)
    shift = np.where(found.low == found.high, found.low, found.mean)
    if one_scale:
        variances = np.full(len(variances), variances.mean())
    scale = np.where(variances == 0, 1.0, np.sqrt(variances))
    return Scaling(shift, scale, np.where(variances == 0, 0.0, 1.0))


def check_finite(values: NDArray[Any]) -> None:
    """Refuse NaN and infinity.

    Raises:
        InputError: says so.
    """
    if not np.isfinite(values).all():
        raise InputError(
            "samples hold values that are not finite (NaN or infinity): leave those samples out"
        )


def _check_range(least: Array, greatest: Array) -> None:
    check_finite(least)
    check_finite(greatest)
    if max(-least.min(), greatest.max()) > LARGEST:
        raise InputError(
            f"samples hold values beyond {LARGEST:g} in magnitude, whose squares overflow: "
            "scale them"
        )
