"""Graph-based segmentation as scikit-image has it: a plain baseline.

Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", International Journal of
Computer Vision 59 (2004).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.methods.method import Method, Outcome, Task
from segmint.options import Options, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class FelzenszwalbOptions(Options):
    """Options of ``felzenszwalb``."""

    scale: float = option(300.0, low=0)
    """Larger values give larger regions (the paper's k, with intensities of 0 to 255)."""
    sigma: float = option(0.8, low=0)
    """Standard deviation, in pixels, of the smoothing that comes first."""
    min_size: int = option(20, low=1)
    """Regions below this many pixels join a neighbor."""


def segment(image: NDArray[np.float32], options: FelzenszwalbOptions, task: Task) -> Outcome:
    """Segment by scikit-image's ``felzenszwalb``."""
    import numpy as np
    from skimage.segmentation import felzenszwalb

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got image with third dimension")  # channels they are
        # scikit-image scales float images so that `scale` means the same for 0..1 as for 0..255.
        labels = felzenszwalb(
            image,
            scale=options.scale,
            sigma=options.sigma,
            min_size=options.min_size,
            channel_axis=-1,
        ).astype(np.int32)
    if task.region is not None:
        labels[~task.region] = -1
    return Outcome(labels=labels)


METHOD = Method(options=FelzenszwalbOptions, segment=segment)
