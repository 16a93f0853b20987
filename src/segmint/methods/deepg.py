"""deepG: the responsibilities of a Gaussian mixture are what a U-Net says of the image.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024). deepSVG is the same with weights that vary over the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError
from segmint.methods.method import Method, Outcome, Task
from segmint.methods.mixture_options import MixtureOptions
from segmint.options import option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome

AXES = ("slices", "rows", "columns")
STARTS = ("em", "random")


@dataclass(frozen=True, kw_only=True)
class DeepMixtureOptions(MixtureOptions):
    """What learning on one image and on many have in common."""

    continuity_weight: float = option(0.0, low=0)
    """Weight of the continuity term; larger values give smoother components."""
    tol: float = option(1e-3, low=0)
    """Stop when an epoch changes the negative log-likelihood by less, in nats a pixel."""
    min_epochs: int = option(10, low=0)
    """Epochs before the tolerance counts."""
    max_epochs: int = option(200, low=1, aliases=("epochs",))
    """Epochs, at most."""
    learning_rate: float = option(1e-4, low=1e-9)
    """Step size of AdamW."""
    weight_decay: float = option(1e-3, low=0)
    """Weight decay of AdamW."""
    gradient_clip: float = option(12.0, low=0)
    """Greatest norm of a gradient; 0 does not clip."""
    features: int = option(32, low=1, high=512)
    """Channels of the first level of the U-Net."""
    levels: int = option(4, low=1, high=8)
    """Times that the U-Net halves the image."""


@dataclass(frozen=True, kw_only=True)
class OneImageOptions(DeepMixtureOptions):
    """Options of ``deepg`` and ``deepsvg`` on one image.

    The defaults learn faster than the published settings; with much larger steps the network
    would follow the noise.
    """

    lam: float = option(0.0, low=0)
    """Weight of the term that draws the means to those of --mu-data."""

    learning_rate: float = option(5e-4, low=1e-9)
    """Step size of AdamW."""
    continuity_weight: float = option(0.1, low=0)
    """Weight of the continuity term; larger values give smoother components."""
    start: str = option("random", choices=STARTS)
    """Begin at random weights, or teach the network the result of EM first."""
    full_frame: bool = option(False)
    """Learn on the whole image, not on the bounding box of the region with a margin alone."""
    axis: str = option("slices", choices=AXES)
    """How a volume is cut: its own slices, or planes across its rows or columns."""
    warm_start: str | None = option(None)
    """Network to start from (a file of --save-model); 'slices' goes on from slice to slice."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lam > 0 and self.mu_data is None:
            raise UsageError(
                f"--lam is {self.lam:g}, but there are no means to draw to: give --mu-data or "
                "leave --lam out"
            )


@dataclass(frozen=True, kw_only=True)
class ManyImagesOptions(DeepMixtureOptions):
    """Options of the recipes ``deepg`` and ``deepsvg``, on many images."""

    lam: float | None = option(None, low=0)
    """Weight of the term that draws the means to --mu-data; if not given 1 with it, else 0."""
    tol: float = option(5e-3, low=0)
    """Stop when an epoch changes the mean negative log-likelihood by less, in nats a pixel."""
    max_epochs: int = option(100, low=1, aliases=("epochs",))
    """Passes over the images, at most."""
    learning_rate: float = option(1e-3, low=1e-9)
    """Step size of AdamW at the start."""
    decay_power: float = option(0.9, low=0)
    """The step size falls as (1 - epoch / max_epochs) to this power."""
    batch_size: int = option(4, low=1)
    """Images a step."""
    augmentation: str = option("full", choices=("full", "none"))
    """Elastic deformation, rotation, scale, flips and noise of each image, or none."""


PUBLISHED: Mapping[str, Any] = {
    "lam": 0.0,
    "continuity_weight": 0.0,
    "tol": 1e-3,
    "min_epochs": 10,
    "max_epochs": 200,
    "learning_rate": 1e-4,
    "weight_decay": 1e-3,
    "gradient_clip": 12.0,
    "features": 32,
    "levels": 4,
    "start": "random",
    "full_frame": True,
}
"""Preset ``schwab2024``."""


def segment(image: NDArray[Any], options: OneImageOptions, task: Task) -> Outcome:
    """Segment by a U-Net fitted to each slice."""
    from segmint.solvers.deep_mixture import deep_mixture

    return deep_mixture(image, options, task, varying=False)


def fit_scene(scene: Scene, options: OneImageOptions, task: Task) -> SceneOutcome:
    """Fit a U-Net to a sample of a scene and answer any window."""
    from segmint.solvers.deep_mixture_scene import deep_mixture_of_scene

    return deep_mixture_of_scene(scene, options, task, varying=False)


METHOD = Method(
    options=OneImageOptions,
    segment=segment,
    fit_scene=fit_scene,
    takes_volumes=True,
    saves_model=True,
    presets={"schwab2024": PUBLISHED},
)
