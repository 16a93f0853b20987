"""k-means of the pixel values as scikit-learn has it: a plain baseline."""

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
    from sklearn.cluster import KMeans

    from segmint.images import normalize

    region = np.ones(image.shape[:2], np.bool_) if task.region is None else task.region
    values = normalize(image, options.normalization, task.region)[region]
    generator = np.random.default_rng(task.seed)
    sample = values
    if len(values) > SAMPLE:
        sample = values[generator.choice(len(values), SAMPLE, replace=False)]
    distinct = len(np.unique(sample, axis=0))
    if options.components > distinct:
        raise UsageError(
            f"--components is {options.components}, more than the {distinct} distinct pixel values "
            f"of the image: ask for at most {distinct}"
        )
    model = KMeans(options.components, n_init=options.restarts, random_state=task.seed)
    labels = np.full(image.shape[:2], -1, np.int32)
    labels[region] = model.fit(sample).predict(values)
    return Outcome(labels=labels)


METHOD = Method(options=KmeansOptions, segment=segment)
