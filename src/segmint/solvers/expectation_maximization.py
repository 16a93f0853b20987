"""EM on an image: a Gaussian mixture of its colors, or one whose weights vary over the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.methods.method import Outcome, Task
from segmint.mixtures import (
    GaussianMixture,
    SpatiallyVaryingMixture,
    distinct_samples,
    select_components,
)
from segmint.solvers.mixture_data import Mixture, MixtureData, mixture_data, reordered

if TYPE_CHECKING:
    from segmint.methods.em_gmm import GaussianMixtureOptions
    from segmint.methods.em_svgmm import SpatiallyVaryingOptions

_DISTINCT_BYTES = 3
"""Colors of at most so many bytes are counted, each color once; others are taken pixel by pixel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedMixture:
    """A mixture that was fitted, its components in order."""

    mixture: Mixture
    history: tuple[dict[str, float], ...]
    notes: tuple[str, ...]
    _fitted: GaussianMixture
    _order: NDArray[np.int64]

    def responsibilities(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(n, K) probabilities of the components of normalized values (n, C)."""
        found = self._fitted.predict_proba(values)[:, self._order]
        return np.asarray(found.astype(np.float32, copy=False))


def gaussian_mixture(image: NDArray[Any], options: GaussianMixtureOptions, task: Task) -> Outcome:
    """Segment an image or volume by the likeliest component of each pixel.

    Pixels of few bytes become one weighted sample for each distinct color: the likelihood is the
    same, and a start by chance draws from the distinct colors.
    """
    data = mixture_data(image, options, task)
    values, counts, inverse = _samples(data)
    learned = learn_mixture(values, counts, data, options, task)
    responsibilities = learned.responsibilities(values)
    chosen = responsibilities.argmax(axis=1).astype(np.int32)

    def probabilities() -> NDArray[np.float32]:
        each = responsibilities if inverse is None else responsibilities[inverse]
        return np.moveaxis(data.placed(each, 0), -1, 0)

    return data.outcome(
        learned.mixture,
        data.placed(chosen if inverse is None else chosen[inverse], -1),
        probabilities,
        history=learned.history,
        notes=learned.notes,
    )


def learn_mixture(
    values: NDArray[np.float32],
    counts: NDArray[np.int64] | None,
    data: MixtureData,
    options: GaussianMixtureOptions,
    task: Task,
) -> LearnedMixture:
    """Fit a mixture to normalized values (n, C) that occur so often (n,), once each with None."""
    fitted, notes = _fit(values, counts, data, options, task)
    mixture = Mixture(
        weights=fitted.weights_, means=fitted.means_, variances=_variances(fitted, values.shape[1])
    )
    order = data.order_of(mixture)
    return LearnedMixture(
        mixture=reordered(mixture, order),
        history=_history(fitted.lower_bounds_),
        notes=notes,
        _fitted=fitted,
        _order=order,
    )


def spatially_varying_mixture(
    image: NDArray[Any], options: SpatiallyVaryingOptions, task: Task
) -> Outcome:
    """Segment an image or volume by the greatest of the weights that each pixel has of its own."""
    data = mixture_data(image, options, task)
    inside = data.inside()
    values = data.map_of(inside)(inside)
    components, notes = chosen_components(values, data, task)
    fitted = SpatiallyVaryingMixture(
        components,
        tol=options.tol,
        max_iter=options.max_iter,
        init=options.init,
        means_init=data.known_means(),
        smoothing=options.smoothing,
        seed=task.seed,
        device=task.device,
    ).fit(values, grid=data.whole_region())
    weights = np.asarray(fitted.weights_, np.float32)
    mixture = Mixture(
        weights=weights.mean(axis=0, dtype=np.float64),
        means=fitted.means_,
        variances=fitted.covariances_,
    )
    order = data.order_of(mixture)
    weights = weights[:, order]
    return data.outcome(
        reordered(mixture, order),
        data.placed(weights.argmax(axis=1).astype(np.int32), -1),
        lambda: np.moveaxis(data.placed(weights, 0), -1, 0),
        history=_history(fitted.lower_bounds_),
        notes=(*notes, _ending(fitted)),
    )


def chosen_components(
    values: NDArray[np.float32], data: MixtureData, task: Task
) -> tuple[int, tuple[str, ...]]:
    """The number of components of values (N, C), by the least BIC where it is to be found."""
    components = data.number_of_components(len(values))
    if components is not None:
        return components, ()
    low, high = data.range_of_components(len(values))
    best, table = select_components(values, low=low, high=high, seed=task.seed, device=task.device)
    return best.n_components, (_criterion(table),)


def _samples(
    data: MixtureData,
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, NDArray[np.int32] | None]:
    """Normalized samples (n, C), how often each occurs, and the sample of each pixel."""
    inside = data.inside()
    if inside.dtype.kind not in "ui" or inside.dtype.itemsize * inside.shape[1] > _DISTINCT_BYTES:
        return data.map_of(inside)(inside), None, None
    colors, counts, inverse = distinct_samples(inside)
    return data.map_of(colors, counts)(colors), counts, inverse


def _fit(
    values: NDArray[np.float32],
    counts: NDArray[np.int64] | None,
    data: MixtureData,
    options: GaussianMixtureOptions,
    task: Task,
) -> tuple[GaussianMixture, tuple[str, ...]]:
    settings: dict[str, Any] = {
        "covariance": options.covariance,
        "tol": options.tol,
        "max_iter": options.max_iter,
        "n_init": options.n_init,
        "init": options.init,
        "seed": task.seed,
        "device": task.device,
    }
    components = data.number_of_components(len(values))
    if components is None:
        low, high = data.range_of_components(len(values))
        fitted, table = select_components(
            values, sample_weight=counts, low=low, high=high, **settings
        )
        return fitted, (_criterion(table), _ending(fitted))
    fitted = GaussianMixture(components, means_init=data.known_means(), **settings)
    fitted.fit(values, sample_weight=counts)
    return fitted, (_ending(fitted),)


def _variances(fitted: GaussianMixture, channels: int) -> NDArray[np.float64]:
    """(K, C), whatever the kind of covariance."""
    found = np.asarray(fitted.covariances_)
    size = (len(fitted.means_), channels)
    if fitted.covariance == "spherical":
        return np.broadcast_to(found[:, np.newaxis], size)
    if fitted.covariance == "diag":
        return found
    diagonal = np.diagonal(found, axis1=-2, axis2=-1)
    return np.broadcast_to(diagonal, size)


def _history(lower_bounds: list[float]) -> tuple[dict[str, float], ...]:
    return tuple(
        {"iteration": number, "nll": -float(bound)}
        for number, bound in enumerate(lower_bounds, start=1)
    )


def _ending(fitted: GaussianMixture | SpatiallyVaryingMixture) -> str:
    ended = "converged" if fitted.converged_ else "not converged, see --max-iter and --tol,"
    return f"{ended} after {fitted.n_iter_} iterations"


def _criterion(table: list[tuple[int, float]]) -> str:
    said = "BIC by components: " + ", ".join(f"{count}: {value:.6g}" for count, value in table)
    if len(table) > 1 and min(table, key=lambda row: row[1]) == table[-1]:
        said += f" ({table[-1][0]} was the greatest number tried, see --max-components)"
    return said
