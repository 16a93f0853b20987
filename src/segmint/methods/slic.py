"""SLIC superpixels as scikit-image has them: a plain baseline.

Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", IEEE
Transactions on Pattern Analysis and Machine Intelligence 34 (2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.methods.method import Method, Outcome, Task
from segmint.options import Options, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class SlicOptions(Options):
    """Options of ``slic``."""

    segments: int = option(100, low=1, aliases=("n_segments",))
    """About how many superpixels."""
    compactness: float = option(10.0, low=1e-9)
    """Larger values make squarer superpixels, smaller ones follow color more closely."""
    sigma: float = option(1.0, low=0)
    """Standard deviation, in pixels, of the smoothing that comes first."""


def segment(image: NDArray[np.float32], options: SlicOptions, task: Task) -> Outcome:
    """Segment by scikit-image's ``slic``."""
    import numpy as np
    from skimage.segmentation import slic

    labels = slic(
        image,
        n_segments=options.segments,
        compactness=options.compactness,
        sigma=options.sigma,
        start_label=0,
        mask=task.region,
        channel_axis=-1,
        convert2lab=image.shape[-1] == 3,
    ).astype(np.int32)
    if task.region is not None:
        # scikit-image leaves out a region that is too small for more than one superpixel.
        labels[task.region & (labels < 0)] = labels.max() + 1
        labels[~task.region] = -1
    return Outcome(labels=labels)


METHOD = Method(options=SlicOptions, segment=segment)
