"""How many components: the mixture of least Bayesian information criterion."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError, nearest
from segmint.mixtures.checks import MAX_COMPONENTS, check_whole
from segmint.mixtures.gaussian_mixture import GaussianMixture

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_FOUND = "n_components"


def select_components(
    samples: Any, *, sample_weight: ArrayLike | None = None, low: int, high: int, **options: Any
) -> tuple[GaussianMixture, list[tuple[int, float]]]:
    """Fit every number of components in a range and keep the best.

    Args:
        samples: (N, M).
        sample_weight: (N,) how often each sample counts.
        low: fewest components, at least 1.
        high: most components.
        **options: of :class:`GaussianMixture`, other than ``n_components``.

    Returns:
        The mixture of least BIC (Schwarz 1978), of two equal ones that of fewer components; and the
        table of numbers of components with their BIC.

    Raises:
        UsageError: for an empty range or an option that does not fit.
        InputError: for samples that cannot be used.

    Example:
        >>> import numpy as np
        >>> values = np.random.default_rng(0).normal(size=(300, 1)) + [[0], [20], [40]] * 100
        >>> select_components(values, low=1, high=4)[0].n_components
        3
    """
    check_whole("low", low, 1, MAX_COMPONENTS)
    check_whole("high", high, 1, MAX_COMPONENTS)
    if low > high:
        raise UsageError(f"low is {low} and high is {high}: low may not exceed high")
    known = [name for name in inspect.signature(GaussianMixture).parameters if name != _FOUND]
    for name in options:
        if name not in known:
            raise UsageError(
                f"select_components has no option {name!r} beside low and high: "
                f"{nearest(name, known)}"
            )
    best: tuple[float, GaussianMixture] | None = None
    table = []
    for components in range(low, high + 1):
        mixture = GaussianMixture(components, **options).fit(samples, sample_weight=sample_weight)
        criterion = mixture.bic(samples, sample_weight=sample_weight)
        table.append((components, criterion))
        if best is None or criterion < best[0]:
            best = criterion, mixture
    assert best is not None
    return best[1], table
