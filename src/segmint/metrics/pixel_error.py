"""The pixel error of the ISBI 2012 challenge.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Frontiers in Neuroanatomy 9:142 (2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.interiors import Interiors, interiors


def pixel_error(
    interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None
) -> float:
    """1 - F of the pixels inside of cells.

    The challenge takes the largest F over the thresholds of a probability; this is the error of
    one partition. It is not the share of wrong pixels, which is 1 - accuracy.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Returns:
        0 to 1, 0 for the truth itself; NaN when neither has an interior.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).

    Example:
        >>> pixel_error(np.array([[True, True, False]]), np.array([[True, False, False]]))
        0.33333333333333337
    """
    return pixel_error_of(pixel_sums(interiors(interior, truth, counted)))


def pixel_sums(pair: Interiors) -> NDArray[np.int64]:
    """Counted pixels inside in both, in the truth, and in the prediction, (3,)."""
    found, truth = pair.found, pair.truth
    if pair.counted is not None:
        found, truth = found & pair.counted, truth & pair.counted
    return np.array([np.count_nonzero(each) for each in (found & truth, truth, found)])


def pixel_error_of(sums: NDArray[np.int64]) -> float:
    """The error of the pixels of one slice, or of the sums over many."""
    both, truth, found = (int(value) for value in sums)
    return 1 - 2 * both / (truth + found) if truth + found else float("nan")
