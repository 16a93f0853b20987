"""EM for a spatially varying Gaussian mixture: every pixel has weights of its own.

Sanjay Gopal and Hebert, "Bayesian pixel classification using spatially variant finite mixtures and
the generalized EM algorithm", IEEE Transactions on Image Processing 7 (1998); as a baseline in
Schwab, Mayr and Haltmeier, arXiv:2404.12252 (2024), where it has no spatial term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.methods.em_gmm import ExpectationMaximizationOptions
from segmint.methods.method import Method, Outcome, Task
from segmint.options import option

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class SpatiallyVaryingOptions(ExpectationMaximizationOptions):
    """Options of ``em-svgmm``."""

    smoothing: float = option(0.0, low=0)
    """Strength with which neighbors share their weights (Potts); 0 is the published model."""


def segment(image: NDArray[Any], options: SpatiallyVaryingOptions, task: Task) -> Outcome:
    """Segment by the greatest weight of each pixel."""
    from segmint.solvers.expectation_maximization import spatially_varying_mixture

    return spatially_varying_mixture(image, options, task)


METHOD = Method(
    options=SpatiallyVaryingOptions,
    segment=segment,
    takes_volumes=True,
    presets={
        "schwab2024": {"tol": 1e-3, "max_iter": 100, "init": "random", "smoothing": 0.0},
    },
)
