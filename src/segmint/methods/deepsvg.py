"""deepSVG: the weights of a spatially varying mixture are what a U-Net says of the image.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.methods.deepg import PUBLISHED, OneImageOptions
from segmint.methods.method import Method, Outcome, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome


def segment(image: NDArray[Any], options: OneImageOptions, task: Task) -> Outcome:
    """Segment by a U-Net fitted to each slice."""
    from segmint.solvers.deep_mixture import deep_mixture

    return deep_mixture(image, options, task, varying=True)


def fit_scene(scene: Scene, options: OneImageOptions, task: Task) -> SceneOutcome:
    """Fit a U-Net to a sample of a scene and answer any window."""
    from segmint.solvers.deep_mixture_scene import deep_mixture_of_scene

    return deep_mixture_of_scene(scene, options, task, varying=True)


METHOD = Method(
    options=OneImageOptions,
    segment=segment,
    fit_scene=fit_scene,
    takes_volumes=True,
    saves_model=True,
    presets={"schwab2024": PUBLISHED},
)
