"""The Rand error of the ISBI 2012 challenge, which borders count in.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Frontiers in Neuroanatomy 9:142 (2015): one of the first scores of the challenge,
later replaced by those after border thinning.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from segmint.metrics.cell_overlap import TruthCells
from segmint.metrics.foreground_rand import rand_parts, rand_sums
from segmint.metrics.interiors import interiors


def rand_error(interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None) -> float:
    """1 - F of the foreground-restricted Rand index, without thinning borders.

    Pixels on borders of the truth do not count. Those on borders of the prediction are each a cell
    of their own, so that borders that are too wide cost something. The challenge takes the largest
    F over the thresholds of a probability; this is the error of one partition.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Returns:
        0 to 1, 0 for the truth itself; NaN when the truth has no interior.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).

    Example:
        >>> found = [[True, True, True, False]]  # 9 + 1 of 16 pairs, all rightly together
        >>> round(rand_error(found, [[True] * 4]), 4)
        0.2308
    """
    pair = interiors(interior, truth, counted)
    as_given, _ = TruthCells(pair.truth, pair.counted).overlaps(pair.found)
    return 1 - rand_parts(rand_sums(as_given)).f_score
