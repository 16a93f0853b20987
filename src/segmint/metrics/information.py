"""Agreement in bits: what labels and truth tell of each other.

Sources: Meila, "Comparing Clusterings: an Information Based Distance", Journal of Multivariate
Analysis 98, 2007, equations (15) to (17); Strehl, Ghosh, "Cluster Ensembles", JMLR 3, 2002.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.annotators import mean_over_annotators
from segmint.metrics.contingency import IGNORE_INDEX, Contingency


def variation_of_information(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Bits needed to name the segment of a pixel on one side, knowing the other, both ways.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them; the mean over annotators.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        H(labels | mask) + H(mask | labels) in bits: 0 for the same segments, at most the
        logarithm of the number of pixels; NaN when no pixel is counted.

    Example:
        >>> variation_of_information([[0, 0, 0, 0]], [[0, 0, 1, 1]])
        1.0
    """
    return mean_over_annotators(variation_of_information_of, labels, masks, ignore_index)


def normalized_mutual_information(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Mutual information over the arithmetic mean of both entropies.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them; the mean over annotators.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        0 to 1, 1 for the same segments, or NaN when no pixel is counted.

    Example:
        >>> normalized_mutual_information([[3, 3, 8, 8]], [[0, 0, 1, 1]])
        1.0
    """
    return mean_over_annotators(normalized_mutual_information_of, labels, masks, ignore_index)


def variation_of_information_of(table: Contingency) -> float:
    """Variation of information of a table in bits."""
    if not table.total:
        return float("nan")
    joint, rows, columns = _entropies(table)
    return max(2 * joint - rows - columns, 0.0)


def normalized_mutual_information_of(table: Contingency) -> float:
    """Normalized mutual information of a table; 1 when both sides are one segment."""
    if not table.total:
        return float("nan")
    joint, rows, columns = _entropies(table)
    if rows + columns == 0:
        return 1.0
    return min(max(2 * (rows + columns - joint) / (rows + columns), 0.0), 1.0)


def _entropies(table: Contingency) -> tuple[float, float, float]:
    return (
        _entropy(table.cells, table.total),
        _entropy(table.row_sizes, table.total),
        _entropy(table.column_sizes, table.total),
    )


def _entropy(sizes: NDArray[np.int64], total: int) -> float:
    share = sizes / total
    # Not a dot product: BLAS may wake its threads for one, at a hundred times the cost.
    return -float((share * np.log2(share)).sum())
