"""Parameters to start from: given ones, k-means, or random responsibilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from segmint.errors import InputError
from segmint.mixtures.centers import SAMPLE, cluster, draw
from segmint.mixtures.checks import as_start
from segmint.mixtures.expectation import Spaces, weigh
from segmint.mixtures.parameters import Parameters, maximize, standardized_means
from segmint.mixtures.standardized import FARTHEST, Scaling, Standardized

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.crew import Crew

    Array = NDArray[np.float64]


class Options(Protocol):
    """The options of a mixture that its start depends on."""

    n_components: int
    n_init: int
    init: str
    means_init: ArrayLike | None
    weights_init: ArrayLike | None
    covariances_init: ArrayLike | None
    min_variance: float
    seed: int


def starts(
    data: Standardized, kind: Covariance, options: Options, weights: Array | None, crew: Crew
) -> Iterator[Parameters]:
    """What the options of a mixture say to start from, one after the other.

    Args:
        data: the samples.
        kind: of the covariances.
        options: of the mixture.
        weights: (K,) to start from, or None.
        crew: who computes.

    Raises:
        InputError: for given values of another shape or range.
    """
    components, channels, floor = options.n_components, len(data.columns), options.min_variance
    means = as_start("means_init", options.means_init, (components, channels))
    covariances = given_covariances(options.covariances_init, data, kind, components, floor)
    generator = np.random.default_rng(options.seed)
    for _ in range(options.n_init if means is None else 1):
        if means is not None:
            start = given_means(data, means, kind, floor)
        elif options.init == "kmeans":
            start = kmeans_start(data, kind, components, floor, generator, crew)
        else:
            seed = int(generator.integers(2**63))
            start = random_start(data, kind, components, floor, seed, crew)
        yield Parameters(
            start.weights if weights is None else weights,
            start.means,
            start.covariances if covariances is None else covariances,
        )


def kmeans_start(
    data: Standardized,
    kind: Covariance,
    components: int,
    floor: float,
    generator: np.random.Generator,
    crew: Crew,
) -> Parameters:
    """One M-step from the clusters of a sample of the samples."""
    part = _few(data, generator)
    points = part.columns.T.numpy()
    weights = np.ones(len(points)) if part.weights is None else part.weights.numpy()
    labels = torch.from_numpy(cluster(points, weights, components, generator))

    def shares(rows: slice) -> Tensor:
        return torch.nn.functional.one_hot(labels[rows], components).T

    return from_shares(part, shares, kind, components, floor, crew)


def random_start(
    data: Standardized, kind: Covariance, components: int, floor: float, seed: int, crew: Crew
) -> Parameters:
    """One M-step from random responsibilities."""
    device = data.columns.device

    def shares(rows: slice) -> Tensor:
        return random_responsibilities(rows, components, seed).to(device)

    return from_shares(data, shares, kind, components, floor, crew)


def random_responsibilities(rows: slice, components: int, seed: int) -> Tensor:
    """(K, n) uniform numbers, normalized; they depend on the seed and where the slice starts."""
    own = np.random.SeedSequence([seed, rows.start]).generate_state(2, np.uint32)
    generator = torch.Generator().manual_seed(int(own[0]) << 32 | int(own[1]))
    size = (components, rows.stop - rows.start)
    numbers = torch.rand(size, generator=generator, dtype=torch.float64)
    return numbers.div_(numbers.sum(dim=0))


def from_shares(
    data: Standardized,
    shares: Callable[[slice], Tensor],
    kind: Covariance,
    components: int,
    floor: float,
    crew: Crew,
) -> Parameters:
    """One M-step from responsibilities (K, n) of slices."""
    channels, count = data.columns.shape
    spaces = Spaces(kind, components, channels, count, data.columns.device)
    return maximize(weigh(data, shares, spaces, crew), None, kind, channels, floor)


def given_means(data: Standardized, means: Array, kind: Covariance, floor: float) -> Parameters:
    """Start from means alone: even weights, and in each channel the variance of the data."""
    components = len(means)
    check_reach(means, data.scaling)
    covariances = kind.limit(kind.spread(components, data.scaling.variances), floor)
    weights = np.full(components, 1 / components)
    return Parameters(weights, standardized_means(means, data.scaling), covariances)


def check_reach(means: Array, scaling: Scaling) -> None:
    """Refuse means in the units of the samples from which squared distances overflow.

    Raises:
        InputError: names the farthest.
    """
    with np.errstate(over="ignore"):
        distances = np.abs(standardized_means(means, scaling))
    if distances.max() > FARTHEST:
        raise InputError(
            f"means_init holds {means.flat[distances.argmax()]:g}, accepted are values within "
            f"{FARTHEST:g} deviations of the samples: give means in the samples' units"
        )


def given_covariances(
    covariances: ArrayLike | None,
    data: Standardized,
    kind: Covariance,
    components: int,
    floor: float,
) -> Array | None:
    """Covariances in the units of the samples, standardized and limited from below.

    Raises:
        InputError: for another shape, or covariances that are not positive (definite).
    """
    channels = len(data.columns)
    given = as_start("covariances_init", covariances, kind.shape(components, channels))
    if given is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = kind.rescale(given, 1 / data.scaling.scale)
    if not np.abs(scaled).max() <= FARTHEST:
        raise InputError(
            f"covariances_init holds {np.abs(given).max():g}, accepted are values up to "
            f"{FARTHEST:g} times the variance of the samples: give them in the samples' units"
        )
    if not kind.proper(scaled):
        raise InputError(
            "covariances_init holds a variance that is not positive or a matrix that is not "
            "symmetric and positive definite"
        )
    return kind.limit(scaled, floor)


def _few(data: Standardized, generator: np.random.Generator) -> Standardized:
    """The samples, or some of them by weight, in float64 on the processor."""
    columns, weights = data.columns, data.weights
    if columns.shape[1] > SAMPLE:
        mass = None if weights is None else weights.double().cpu().numpy()
        chosen = torch.from_numpy(draw(columns.shape[1], mass, generator)).to(columns.device)
        columns, weights = columns[:, chosen], None
    columns = columns.cpu().double()
    weights = None if weights is None else weights.cpu().double()
    return Standardized(columns, weights, data.scaling, data.peak)
