"""The Rand score of cells in electron microscopy, as the ISBI 2012 challenge ranks by it.

Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for
connectomics", Frontiers in Neuroanatomy 9:142 (2015), section on foreground-restricted Rand
scoring after border thinning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.cell_overlap import CellOverlap, TruthCells
from segmint.metrics.interiors import interiors
from segmint.metrics.split_merge import SplitMerge


def foreground_rand(
    interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None
) -> float:
    """V_rand: whether pixels of the same cell are found to be in the same cell.

    Cells are the 4-connected pieces of the interior. The borders between those of the prediction
    are thinned to nothing: each border pixel goes to the nearest cell. Only pixels that are
    interior in the truth count, so that the width of borders does not matter. (The challenge's own
    script leaves lines of one pixel, which count only where the truth has interior there.)

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Returns:
        0 to 1, the harmonic mean of the two parts of :func:`foreground_rand_parts`; NaN when the
        truth has no interior.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).

    Example:
        >>> two_cells = np.array([[1, 1, 0, 1, 1]] * 3, bool)
        >>> foreground_rand(two_cells, two_cells)
        1.0
        >>> round(foreground_rand(np.ones((3, 5), bool), two_cells), 3)
        0.667
    """
    return foreground_rand_parts(interior, truth, counted=counted).f_score


def foreground_rand_parts(
    interior: ArrayLike, truth: ArrayLike, *, counted: ArrayLike | None = None
) -> SplitMerge:
    """V_rand in its two parts: are pixels of one cell found together, and the other way around?

    With p the probability that a random pixel lies in a cell of the truth and a found cell, and s
    and t its sums, split is sum p² / sum t² and merge sum p² / sum s²: pixels are drawn with
    replacement.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        counted: (H, W) boolean, the pixels that count; None counts all.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).
    """
    pair = interiors(interior, truth, counted)
    _, thinned = TruthCells(pair.truth, pair.counted).overlaps(pair.found)
    return rand_parts(rand_sums(thinned))


def rand_sums(overlap: CellOverlap) -> NDArray[np.int64]:
    """Pairs of pixels together in both, in the truth, and in the prediction, (3,).

    Pixels are drawn with replacement; those alone are together with themselves.
    """
    both, truth, found = (
        int((sizes * sizes).sum()) for sizes in (overlap.shared, overlap.truth, overlap.found)
    )
    return np.array([both + overlap.alone, truth, found + overlap.alone])


def rand_parts(sums: NDArray[np.int64]) -> SplitMerge:
    """Both parts of the pairs of one slice, or of the sums over many; NaN without pairs."""
    both, truth, found = (float(value) for value in sums)
    if not truth:
        return SplitMerge(split=float("nan"), merge=float("nan"))
    return SplitMerge(split=both / truth, merge=both / found)
