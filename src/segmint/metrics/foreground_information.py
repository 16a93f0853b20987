"""The information theoretic score of cells in electron microscopy (ISBI 2012).

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Frontiers in Neuroanatomy 9:142 (2015), section on foreground-restricted information
theoretic scoring after border thinning.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.cell_overlap import CellOverlap, TruthCells
from segmint.metrics.interiors import interiors
from segmint.metrics.split_merge import SplitMerge


def foreground_information(
    interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None
) -> float:
    """V_info: how much the found cell of a pixel tells of its cell in the truth, and back.

    Cells, thinned borders and the pixels that count are those of
    :func:`~segmint.metrics.foreground_rand.foreground_rand`.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Returns:
        0 to 1, twice the mutual information over the sum of both entropies, which is the harmonic
        mean of the parts of :func:`foreground_information_parts`; NaN when the truth has no
        interior.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).

    Example:
        >>> two_cells = np.array([[1, 1, 0, 1, 1]] * 3, bool)
        >>> foreground_information(two_cells, two_cells)
        1.0
        >>> foreground_information(np.ones((3, 5), bool), two_cells)
        0.0
    """
    return foreground_information_parts(interior, truth, counted=counted).f_score


def foreground_information_parts(
    interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None
) -> SplitMerge:
    """V_info in its two parts, what wrong splits and what wrong mergers leave of it.

    Split is the mutual information over the entropy of the prediction, merge that over the
    entropy of the truth. A part whose entropy is 0, because all is one cell, is 1: nothing is
    wrongly split, or nothing is there to be merged.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).
    """
    pair = interiors(interior, truth, counted)
    _, thinned = TruthCells(pair.truth, pair.counted).overlaps(pair.found)
    return information_parts(thinned)


def information_parts(overlap: CellOverlap) -> SplitMerge:
    """Both parts of one slice; NaN when no pixel counts."""
    total = overlap.total
    if not total:
        return SplitMerge(split=float("nan"), merge=float("nan"))
    # A pixel that is alone adds 1 log 1 = 0 to these sums.
    both, truth, found = (
        math.log(total) - _log_sum(sizes) / total
        for sizes in (overlap.shared, overlap.truth, overlap.found)
    )
    mutual = max(truth + found - both, 0.0)
    return SplitMerge(split=_share(mutual, found), merge=_share(mutual, truth))


def _log_sum(sizes: NDArray[np.int64]) -> float:
    positive = sizes[sizes > 0].astype(np.float64)
    return float((positive * np.log(positive)).sum())


def _share(mutual: float, entropy: float) -> float:
    return min(mutual / entropy, 1.0) if entropy > _ZERO else 1.0


_ZERO = 1e-12
"""Entropies below are 0 but for rounding: two cells of 2**40 pixels have more."""
