"""Gaussian mixture of values, fitted by expectation maximization in scikit-learn's shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from segmint.errors import InputError, UsageError, nearest
from segmint.mixtures import checks
from segmint.mixtures.covariances import KINDS
from segmint.mixtures.estimator import Estimator
from segmint.mixtures.parameters import natural_means

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

    from segmint.mixtures.climbing import Climb
    from segmint.mixtures.densities import Densities
    from segmint.mixtures.standardized import Scaling

    Array = NDArray[np.float64]


class GaussianMixture(Estimator):
    """K Gaussians whose weighted sum is the density of the samples.

    Expectation maximization (Dempster, Laird, Rubin 1977) with closed-form steps. Samples are
    standardized first, and every variance is held at or above ``min_variance``, which is the exact
    maximum under that bound: the likelihood never falls and nothing becomes NaN. A component that
    loses all weight keeps its last parameters and is listed in ``empty_``.

    Args:
        n_components: K, 1 to 255.
        covariance: ``diag`` (one variance a channel), ``full`` and ``tied`` (one matrix each, one
            matrix for all) or ``spherical`` (one variance).
        tol: stop when the mean log-likelihood changes by less; 0 never stops before ``max_iter``.
        max_iter: most iterations.
        n_init: starts of which the likeliest is kept; with ``means_init`` there is only one.
        init: start from ``kmeans`` (clusters of at most 20,000 samples) or from ``random``
            responsibilities.
        means_init: (K, M) means to start from; alone, with even weights and in each channel the
            variance of the data.
        weights_init: (K,) weights to start from.
        covariances_init: covariances to start from, in the shape of ``covariances_``.
        min_variance: least variance, as a part of the channel's own variance (for ``spherical``
            of the mean variance of the channels); of 1 where a channel is constant.
        seed: of the start.
        device: ``auto``, ``cpu`` or ``cuda``, or a ``torch.device``.

    Raises:
        UsageError: for an option outside its range.

    Example:
        >>> import numpy as np
        >>> values = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
        >>> mixture = GaussianMixture(2, means_init=[[0.0], [5.0]]).fit(values)
        >>> mixture.means_.round(3).tolist(), mixture.predict(values).tolist()
        ([[0.1], [5.1]], [0, 0, 0, 1, 1, 1])
    """

    weights_: Array
    """(K,) summing to 1."""
    means_: Array
    """(K, M)."""
    covariances_: Array
    """(K, M) diag, (K, M, M) full, (M, M) tied, (K,) spherical."""
    lower_bounds_: list[float]
    """Mean log-likelihood found by the E-step of each iteration."""
    lower_bound_: float
    """The last of them."""
    converged_: bool
    n_iter_: int
    empty_: NDArray[np.int64]
    """Components that ended without weight."""

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance: str = "diag",
        tol: float = 1e-3,
        max_iter: int = 100,
        n_init: int = 1,
        init: str = "kmeans",
        means_init: ArrayLike | None = None,
        weights_init: ArrayLike | None = None,
        covariances_init: ArrayLike | None = None,
        min_variance: float = 1e-6,
        seed: int = 0,
        device: str | torch.device = "auto",
    ) -> None:
        self.n_components, self.covariance = n_components, covariance
        self.tol, self.max_iter, self.n_init, self.init = tol, max_iter, n_init, init
        self.means_init, self.weights_init = means_init, weights_init
        self.covariances_init = covariances_init
        self.min_variance, self.seed, self.device = min_variance, seed, device
        self._check_options()

    def fit(self, samples: Any, y: Any = None, *, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to samples.

        Args:
            samples: (N, M) numbers, as numpy array or torch tensor.
            y: not used; scikit-learn's pipelines pass it.
            sample_weight: (N,) how often each sample counts.

        Returns:
            The mixture itself.

        Raises:
            InputError: for samples or starts that cannot be used.
            UsageError: for an option that was changed to one outside its range.
        """
        from segmint.mixtures.climbing import climb
        from segmint.mixtures.crew import Crew
        from segmint.mixtures.standardized import standardize
        from segmint.mixtures.starts import starts

        self._check_options()
        array = checks.as_samples(samples)
        weight = checks.as_sample_weight(sample_weight, len(array))
        if weight is not None:
            array, weight = checks.counted(array, weight)
        checks.check_enough(self.n_components, len(array))
        kind = KINDS[self.covariance]
        device = checks.computing_device(self.device)
        with Crew(device, array.size * self.n_components) as crew:
            data = standardize(array, weight, one_scale=kind.one_scale, device=device, crew=crew)
            weights = checks.as_start_weights(self.weights_init, (self.n_components,))
            begun = starts(data, kind, self, weights, crew)
            climbs = (climb(data, start, kind, self, crew) for start in begun)
            self._keep(max(climbs, key=lambda found: found.bounds[-1]), data.scaling)
        return self

    def fit_predict(
        self, samples: Any, y: Any = None, *, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Fit, and the likeliest component (N,) of each sample; arguments as for :meth:`fit`.

        Raises:
            InputError: for samples or starts that cannot be used.
        """
        return self.fit(samples, sample_weight=sample_weight).predict(samples)

    def predict(self, samples: Any) -> NDArray[np.int64]:
        """The likeliest component (N,) of each of (N, M) samples.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples of other channels, or values that are not finite.
        """
        return self._densities().labels(self._same_channels(samples))

    def predict_proba(self, samples: Any) -> NDArray[Any]:
        """Probabilities (N, K) of the components.

        Float64 for float64 and for integers of 32 bits and more, float32 for the rest.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples of other channels, or values that are not finite.
        """
        return self._densities().probabilities(self._same_channels(samples))

    def score_samples(self, samples: Any) -> Array:
        """Log-likelihood (N,) of each of (N, M) samples in nats.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples of other channels, or values that are not finite.
        """
        return self._densities().log_likelihoods(self._same_channels(samples))

    def score(
        self, samples: Any, y: Any = None, *, sample_weight: ArrayLike | None = None
    ) -> float:
        """Mean log-likelihood of samples in nats.

        Args:
            samples: (N, M).
            y: not used; scikit-learn's pipelines pass it.
            sample_weight: (N,) how often each sample counts.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples or weights that cannot be used.
        """
        scores = self.score_samples(samples)
        weight = checks.as_sample_weight(sample_weight, len(scores))
        # Sums of scores times weights may overflow where the mean does not.
        return float(np.average(scores, weights=None if weight is None else weight / weight.max()))

    def bic(self, samples: Any, *, sample_weight: ArrayLike | None = None) -> float:
        """Bayesian information criterion: the lower, the better; arguments as for :meth:`score`.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples or weights that cannot be used.
        """
        score = self.score(samples, sample_weight=sample_weight)
        count = self._count(samples, sample_weight)
        return -2 * count * score + self._free() * math.log(count)

    def aic(self, samples: Any, *, sample_weight: ArrayLike | None = None) -> float:
        """Akaike information criterion: the lower, the better; arguments as for :meth:`score`.

        Raises:
            UsageError: before ``fit``.
            InputError: for samples or weights that cannot be used.
        """
        score = self.score(samples, sample_weight=sample_weight)
        return -2 * self._count(samples, sample_weight) * score + 2 * self._free()

    def _check_options(self) -> None:
        checks.check_options(
            self.n_components, self.tol, self.max_iter, self.init, self.min_variance, self.seed
        )
        checks.check_whole("n_init", self.n_init, 1, 1000)
        if not isinstance(self.covariance, str) or self.covariance not in KINDS:
            raise UsageError(
                f"unknown covariance {self.covariance!r}: {nearest(str(self.covariance), KINDS)}"
            )

    def _keep(self, found: Climb, scaling: Scaling) -> None:
        parameters, kind = found.parameters, KINDS[self.covariance]
        self._parameters, self._scaling, self._kind = parameters, scaling, kind
        self.weights_ = parameters.weights
        self.means_ = natural_means(parameters.means, scaling)
        self.covariances_ = kind.rescale(parameters.covariances, scaling.scale)
        self.empty_ = np.flatnonzero(parameters.weights == 0)
        self.lower_bounds_ = [bound - scaling.volume for bound in found.bounds]
        self.lower_bound_, self.n_iter_ = self.lower_bounds_[-1], len(self.lower_bounds_)
        self.converged_ = found.converged

    def _densities(self) -> Densities:
        from segmint.mixtures.densities import Densities

        if not hasattr(self, "_parameters"):
            raise UsageError("this mixture has not been fitted: call fit first")
        device = checks.computing_device(self.device)
        return Densities(self._parameters, self._scaling, self._kind, device)

    def _same_channels(self, samples: Any) -> NDArray[Any]:
        array = checks.as_samples(samples)
        if array.shape[1] != self.means_.shape[1]:
            raise InputError(
                f"samples have {array.shape[1]} channels, but the mixture was fitted to "
                f"{self.means_.shape[1]}"
            )
        return array

    def _free(self) -> int:
        components, channels = self.means_.shape
        covariances = self._kind.free(components, channels)
        return int(components * channels + components - 1 + covariances)

    @staticmethod
    def _count(samples: Any, sample_weight: ArrayLike | None) -> float:
        weight = checks.as_sample_weight(sample_weight, len(samples))
        return float(len(samples)) if weight is None else checks.total_weight(weight)
