"""Gaussian mixture whose weights vary from pixel to pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from segmint.errors import InputError, UsageError
from segmint.mixtures import checks
from segmint.mixtures.covariances import KINDS
from segmint.mixtures.estimator import Estimator
from segmint.mixtures.parameters import natural_means

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

    from segmint.mixtures.standardized import Scaling
    from segmint.mixtures.varying_climbing import VaryingClimb

    Array = NDArray[np.float64]


class SpatiallyVaryingMixture(Estimator):
    """K Gaussians of diagonal covariance; every sample has weights of its own.

    Expectation maximization as in Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for
    unsupervised image segmentation" (2024): the weights of a sample become its responsibilities,
    means and variances follow in closed form. Weights are kept as logarithms, so none is lost to
    underflow, and variances stay at or above ``min_variance``.

    Args:
        n_components: K, 1 to 255.
        tol: stop when the mean log-likelihood changes by less; 0 never stops before ``max_iter``.
        max_iter: most iterations.
        init: start from ``kmeans`` or from ``random`` responsibilities.
        means_init: (K, M) means to start from; alone, with even weights and in each channel the
            variance of the data.
        weights_init: (K,) or (N, K) weights to start from; (N, K) without ``means_init`` also
            say the means and variances to start from, by one M-step.
        covariances_init: (K, M) variances to start from.
        min_variance: least variance, as a part of the channel's own variance, or of 1 where a
            channel is constant.
        smoothing: at least 0: how strongly the weights follow those of the neighbors. After each
            E-step they are multiplied by exp(smoothing * mean weight of the neighbors), one
            mean-field step of a Potts model; 0 is the published mixture. Above 0 the likelihood
            may fall.
        seed: of the start.
        device: ``auto``, ``cpu`` or ``cuda``, or a ``torch.device``.

    Raises:
        UsageError: for an option outside its range.

    Example:
        >>> import numpy as np
        >>> values = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
        >>> mixture = SpatiallyVaryingMixture(2, means_init=[[0.0], [5.0]]).fit(values)
        >>> mixture.means_.round(3).tolist(), mixture.predict().tolist()
        ([[0.1], [5.1]], [0, 0, 0, 1, 1, 1])
    """

    weights_: NDArray[Any]
    """(N, K) weights of each sample, which are the probabilities of its labels."""
    means_: Array
    """(K, M)."""
    covariances_: Array
    """(K, M) variances."""
    lower_bounds_: list[float]
    """Mean log-likelihood after each iteration, with its parameters and weights."""
    lower_bound_: float
    """The last of them."""
    converged_: bool
    n_iter_: int
    empty_: NDArray[np.int64]
    """Components that ended without weight."""

    n_init = 1

    def __init__(
        self,
        n_components: int = 1,
        *,
        tol: float = 1e-3,
        max_iter: int = 100,
        init: str = "kmeans",
        means_init: ArrayLike | None = None,
        weights_init: ArrayLike | None = None,
        covariances_init: ArrayLike | None = None,
        min_variance: float = 1e-6,
        smoothing: float = 0.0,
        seed: int = 0,
        device: str | torch.device = "auto",
    ) -> None:
        self.n_components, self.tol, self.max_iter, self.init = n_components, tol, max_iter, init
        self.means_init, self.weights_init = means_init, weights_init
        self.covariances_init = covariances_init
        self.min_variance, self.smoothing = min_variance, smoothing
        self.seed, self.device = seed, device
        self._check_options()

    def fit(self, samples: Any, y: Any = None, *, grid: ArrayLike | None = None) -> Self:
        """Fit to samples.

        Args:
            samples: (N, M) numbers, as numpy array or torch tensor.
            y: not used; scikit-learn's pipelines pass it.
            grid: (H, W) or (D, H, W) boolean, True where the samples lie, in row-major order;
                needed for ``smoothing`` above 0.

        Returns:
            The mixture itself.

        Raises:
            InputError: for samples, starts or a grid that cannot be used.
            UsageError: for an option that was changed to one outside its range.
        """
        from segmint.mixtures.crew import Crew
        from segmint.mixtures.smoothing import Neighbors
        from segmint.mixtures.standardized import standardize
        from segmint.mixtures.varying_climbing import climb
        from segmint.mixtures.varying_starts import varying_start

        self._check_options()
        array = checks.as_samples(samples)
        checks.check_enough(self.n_components, len(array))
        places = checks.as_grid(grid, len(array))
        if self.smoothing > 0 and places is None:
            raise InputError("smoothing above 0 needs to know neighbors: pass grid to fit")
        device = checks.computing_device(self.device)
        with Crew(device, array.size * self.n_components) as crew:
            data = standardize(array, None, one_scale=False, device=device, crew=crew)
            start = varying_start(data, KINDS["diag"], self, crew)
            neighbors = None
            if places is not None and self.smoothing > 0:
                neighbors = Neighbors(places, self.smoothing, device)
            found = climb(data, start, neighbors, self, crew)
        self._keep(found, data.scaling)
        return self

    def fit_predict(
        self, samples: Any, y: Any = None, *, grid: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Fit, and the likeliest component (N,) of each sample; arguments as for :meth:`fit`.

        Raises:
            InputError: for samples, starts or a grid that cannot be used.
        """
        return self.fit(samples, grid=grid).predict()

    def predict(self, samples: None = None) -> NDArray[np.int64]:
        """The likeliest component (N,) of each of the fitted samples."""
        return np.asarray(self.predict_proba(samples).argmax(axis=1))

    def predict_proba(self, samples: None = None) -> NDArray[Any]:
        """Probabilities (N, K) of the fitted samples: ``weights_``.

        Raises:
            UsageError: for other samples, or before ``fit``.
        """
        if samples is not None:
            raise UsageError(
                "a spatially varying mixture has weights for the samples it was fitted to and for "
                "no others: call without samples, or use GaussianMixture"
            )
        if not hasattr(self, "weights_"):
            raise UsageError("this mixture has not been fitted: call fit first")
        return self.weights_

    def _check_options(self) -> None:
        checks.check_options(
            self.n_components, self.tol, self.max_iter, self.init, self.min_variance, self.seed
        )
        checks.check_number("smoothing", self.smoothing, 0.0)

    def _keep(self, found: VaryingClimb, scaling: Scaling) -> None:
        parameters = found.parameters
        self.weights_ = np.ascontiguousarray(found.weights.T.cpu().numpy())
        self.means_ = natural_means(parameters.means, scaling)
        self.covariances_ = KINDS["diag"].rescale(parameters.covariances, scaling.scale)
        self.empty_ = np.flatnonzero(parameters.weights == 0)
        self.lower_bounds_ = [bound - scaling.volume for bound in found.bounds]
        self.lower_bound_, self.n_iter_ = self.lower_bounds_[-1], len(self.lower_bounds_)
        self.converged_ = found.converged
