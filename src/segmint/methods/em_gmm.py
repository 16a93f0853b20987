"""EM for a Gaussian mixture: every pixel is drawn from one of K normal distributions.

Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", Journal
of the Royal Statistical Society B 39 (1977); as a baseline in Schwab, Mayr and Haltmeier, "Deep
Gaussian mixture model for unsupervised image segmentation", arXiv:2404.12252 (2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.methods.method import Method, Outcome, Task
from segmint.methods.mixture_options import MixtureOptions
from segmint.options import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome

COVARIANCES = ("diag", "full", "tied", "spherical")
STARTS = ("kmeans", "random")


@dataclass(frozen=True, kw_only=True)
class ExpectationMaximizationOptions(MixtureOptions):
    """Options of EM, for both kinds of mixture."""

    tol: float = option(1e-3, low=0)
    """Stop when an iteration changes the mean log-likelihood by less, in nats a pixel."""
    max_iter: int = option(100, low=1, high=2**31 - 1)
    """Iterations, at most."""
    init: str = option("kmeans", choices=STARTS)
    """Start without --mu-data: k-means, or random responsibilities as published."""


@dataclass(frozen=True, kw_only=True)
class GaussianMixtureOptions(ExpectationMaximizationOptions):
    """Options of ``em-gmm``."""

    covariance: str = option("diag", choices=COVARIANCES)
    """Shape of each component in the space of the channels."""
    n_init: int = option(1, low=1, high=1000)
    """Starts, of which the likeliest is kept."""


def segment(image: NDArray[Any], options: GaussianMixtureOptions, task: Task) -> Outcome:
    """Segment by the likeliest component of each pixel."""
    from segmint.solvers.expectation_maximization import gaussian_mixture

    return gaussian_mixture(image, options, task)


def fit_scene(scene: Scene, options: GaussianMixtureOptions, task: Task) -> SceneOutcome:
    """Fit to the colors of all of a scene, or to a sample, and answer any window."""
    from segmint.solvers.mixture_scene import gaussian_mixture_of_scene

    return gaussian_mixture_of_scene(scene, options, task)


METHOD = Method(
    options=GaussianMixtureOptions,
    segment=segment,
    fit_scene=fit_scene,
    takes_volumes=True,
    presets={"schwab2024": {"covariance": "diag", "tol": 1e-3, "max_iter": 100, "init": "random"}},
)
