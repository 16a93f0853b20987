"""Agreement on pairs of pixels: are two pixels together in both, or apart in both?

Sources: Rand, "Objective Criteria for the Evaluation of Clustering Methods", JASA 66, 1971;
Unnikrishnan, Pantofaru, Hebert, "Toward Objective Evaluation of Image Segmentation Algorithms",
IEEE TPAMI 29(6), 2007 (probabilistic Rand index); Hubert, Arabie, "Comparing Partitions", Journal
of Classification 2, 1985, equation (5).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.metrics.annotators import mean_over_annotators
from segmint.metrics.contingency import IGNORE_INDEX, Contingency


def rand_index(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Share of the pairs of pixels on which labels and truth agree.

    Over several annotators the mean is the probabilistic Rand index (PRI).

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them; the mean over annotators.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        0 to 1, 1 for the same segments, or NaN when no pixel is counted.

    Example:
        >>> rand_index([[0, 0, 1]], [[5, 5, 5]])  # one pair of three is together in both
        0.3333333333333333
    """
    return mean_over_annotators(rand_index_of, labels, masks, ignore_index)


def adjusted_rand_index(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Rand index corrected for chance: 0 is expected of random labels of the same sizes.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them; the mean over annotators.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        -0.5 to 1, 1 for the same segments, or NaN when no pixel is counted.

    Example:
        >>> adjusted_rand_index([[0, 0, 1, 1]], [[1, 1, 0, 0]])
        1.0
    """
    return mean_over_annotators(adjusted_rand_index_of, labels, masks, ignore_index)


def rand_index_of(table: Contingency) -> float:
    """Rand index of a table; 1 for a single pixel, which has no pair to disagree on."""
    if not table.total:
        return float("nan")
    both, in_rows, in_columns, pairs = _pairs_together(table)
    return (pairs - in_rows - in_columns + 2 * both) / pairs if pairs else 1.0


def adjusted_rand_index_of(table: Contingency) -> float:
    """Adjusted Rand index of a table; 1 when both sides are one segment or both all single."""
    if not table.total:
        return float("nan")
    both, in_rows, in_columns, pairs = _pairs_together(table)
    if in_rows == in_columns and in_rows in (0, pairs):
        return 1.0
    expected = in_rows * in_columns / pairs
    return (both - expected) / ((in_rows + in_columns) / 2 - expected)


def _pairs_together(table: Contingency) -> tuple[int, int, int, int]:
    """Pairs together in both sides, in the rows, in the columns, and all pairs."""
    return (
        _pairs(table.cells),
        _pairs(table.row_sizes),
        _pairs(table.column_sizes),
        table.total * (table.total - 1) // 2,
    )


def _pairs(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
