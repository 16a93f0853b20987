"""k-means of the pixel values as scikit-learn has it: a plain baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError
from segmint.images.choices import NORMALIZATIONS
from segmint.methods.method import Method, Outcome, Task
from segmint.options import Options, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome

SAMPLE = 200_000
"""Pixels that the centers are fitted on; all pixels are assigned."""


@dataclass(frozen=True, kw_only=True)
class KmeansOptions(Options):
    """Options of ``kmeans``."""

    components: int = option(8, low=1, aliases=("n_components",))
    """How many clusters."""
    restarts: int = option(3, low=1, aliases=("n_init",))
    """Starts of which the best is kept."""
    normalization: str = option("none", choices=NORMALIZATIONS)
    """Of each channel, inside the region."""


def segment(image: NDArray[np.float32], options: KmeansOptions, task: Task) -> Outcome:
    """Segment by scikit-learn's ``KMeans``."""
    import numpy as np

    from segmint.images import normalize

    region = np.ones(image.shape[:2], np.bool_) if task.region is None else task.region
    values = normalize(image, options.normalization, task.region)[region]
    generator = np.random.default_rng(task.seed)
    sample = values
    if len(values) > SAMPLE:
        sample = values[generator.choice(len(values), SAMPLE, replace=False)]
    labels = np.full(image.shape[:2], -1, np.int32)
    labels[region] = fitted_centers(sample, options, task.seed).predict(values)
    return Outcome(labels=labels)


def fit_scene(scene: Scene, options: KmeansOptions, task: Task) -> SceneOutcome:
    """Find the centers of a sample of a scene and answer any window."""
    from segmint.solvers.kmeans_scene import kmeans_of_scene

    return kmeans_of_scene(scene, options, task)


def fitted_centers(sample: NDArray[np.float32], options: KmeansOptions, seed: int) -> Any:
    """scikit-learn's ``KMeans``, fitted to values (n, C).

    Raises:
        UsageError: for more clusters than distinct values.
    """
    import numpy as np
    from sklearn.cluster import KMeans

    distinct = len(np.unique(sample, axis=0))
    if options.components > distinct:
        raise UsageError(
            f"--components is {options.components}, more than the {distinct} distinct pixel values "
            f"of the image: ask for at most {distinct}"
        )
    return KMeans(options.components, n_init=options.restarts, random_state=seed).fit(sample)


METHOD = Method(options=KmeansOptions, segment=segment, fit_scene=fit_scene)
