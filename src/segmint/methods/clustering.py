"""Differentiable feature clustering: a network learns, on one image, to agree with itself.

Kim, Kanezaki and Tanaka, "Unsupervised Learning of Image Segmentation Based on Differentiable
Feature Clustering", IEEE Transactions on Image Processing 29 (2020). The area terms and the option
names kept as aliases are those of a re-implementation that learns on several images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.errors import UsageError
from segmint.images.choices import NORMALIZATIONS
from segmint.methods.method import Method, Outcome, Task
from segmint.options import Options, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome


@dataclass(frozen=True, kw_only=True)
class FeatureClusteringOptions(Options):
    """What learning on one image and on many have in common."""

    components: int | None = option(None, low=1, aliases=("n_components",))
    """Exactly so many components: those that remain are merged by distance and shared boundary."""
    max_components: int = option(100, low=2, high=4096, aliases=("n_classes",))
    """Components at the start, the channels of the response."""
    min_components: int = option(3, low=1, aliases=("min_classes",))
    """Stop when no more than so many components remain; fewer only where there never were more."""
    features: int = option(100, low=1, aliases=("n_features",))
    """Channels inside the network."""
    blocks: int = option(2, low=1, high=16, aliases=("n_convolutions",))
    """Blocks of convolution, ReLU and normalization."""
    learning_rate: float = option(0.1, low=1e-9)
    """Step size of gradient descent."""
    momentum: float = option(0.9, low=0, high=0.9999)
    """Momentum of gradient descent."""
    similarity_weight: float = option(1.0, low=0, aliases=("mu",))
    """Weight of the similarity term."""
    continuity_weight: float = option(3.0, low=0, aliases=("nu",))
    """Weight of the continuity term; larger values give fewer and smoother components."""
    continuity_x: float = option(1.0, low=0, aliases=("nu_x",))
    """Share of horizontal neighbors in the continuity term."""
    continuity_y: float = option(1.0, low=0, aliases=("nu_y",))
    """Share of vertical neighbors in the continuity term."""
    edge_sharpness: float = option(0.0, low=0)
    """Spare the edges of the image in the continuity term; 0 treats all neighbors alike."""
    max_area_weight: float = option(0.0, low=0, aliases=("M",))
    """Weight against very large components."""
    min_area_weight: float = option(0.0, low=0, aliases=("m",))
    """Weight against very small components."""
    color_space: str = option("lab", choices=("lab", "rgb"))
    """Of images with three channels; others are taken as they are."""
    normalization: str = option("none", choices=NORMALIZATIONS)
    """Of each channel of an image, inside its region."""
    expected_channels: int | None = option(None, low=1, aliases=("n_channels",))
    """Channels that an image must have; one with others is refused."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("components", "min_components"):
            value = getattr(self, name)
            if value is not None and value > self.max_components:
                raise UsageError(
                    f"--{name.replace('_', '-')} is {value}, but --max-components, with which "
                    f"learning starts, is {self.max_components}: raise it or ask for fewer"
                )


@dataclass(frozen=True, kw_only=True)
class ClusteringOptions(FeatureClusteringOptions):
    """Options of ``clustering`` on one image."""

    iterations: int = option(12, low=1, aliases=("epochs",))
    """Steps of gradient descent, at most."""
    scribble_weight: float = option(0.5, low=0)
    """Weight of the scribble term, where there are scribbles."""
    working_pixels: int = option(25_000, low=0)
    """Learn on the image reduced to about so many pixels; 0 learns at full size."""
    superpixel_scale: float = option(100.0, low=0)
    """Components end at the borders of superpixels; larger values make those larger, 0 none."""
    stable_fraction: float = option(0.0, low=0, high=1)
    """Stop when a smaller share of pixels changes its component in an iteration; 0 never stops."""
    restarts: int = option(1, low=1, high=100)
    """Runs from other starts: the one with the best objective is kept, their agreement reported."""


@dataclass(frozen=True, kw_only=True)
class FolderClusteringOptions(FeatureClusteringOptions):
    """Options of the recipe ``clustering``, on many images."""

    epochs: int = option(20, low=1)
    """Passes over the folder, at most."""
    batch_size: int = option(16, low=1)
    """Images a step."""
    image_size: int = option(224, low=0)
    """Side in pixels that images are resized to for learning; 0 keeps them as they are."""
    statistics: str = option("image", choices=("image", "running"))
    """Normalization by the image itself, or by the whole folder; the same in prediction."""


def segment(image: NDArray[np.float32], options: ClusteringOptions, task: Task) -> Outcome:
    """Segment one image by the network that fits it."""
    from segmint.solvers.clustering import cluster_image

    return cluster_image(image, options, task)


def fit_scene(scene: Scene, options: ClusteringOptions, task: Task) -> SceneOutcome:
    """Learn the network on a sample of a scene and answer any window."""
    from segmint.solvers.clustering_scene import cluster_scene

    return cluster_scene(scene, options, task)


METHOD = Method(
    options=ClusteringOptions,
    segment=segment,
    fit_scene=fit_scene,
    takes_scribbles=True,
    saves_model=True,
    presets={
        "kim2020": {
            "iterations": 1000,
            "learning_rate": 0.1,
            "momentum": 0.9,
            "similarity_weight": 1.0,
            "continuity_weight": 5.0,
            "color_space": "rgb",
            "working_pixels": 0,
            "superpixel_scale": 0.0,
        },
        "seed004": {
            "iterations": 50,
            "learning_rate": 0.1,
            "momentum": 0.4,
            "similarity_weight": 2.0,
            "continuity_weight": 2.0,
            "max_area_weight": 1.0,
            "min_area_weight": 1.0,
            "color_space": "rgb",
            "working_pixels": 0,
            "superpixel_scale": 0.0,
        },
    },
)
