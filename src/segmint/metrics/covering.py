"""Segmentation covering: how much of the truth the best-fitting predicted segments cover.

Source: Arbelaez, Maire, Fowlkes, Malik, "Contour Detection and Hierarchical Image Segmentation",
IEEE Transactions on Pattern Analysis and Machine Intelligence 33(5), 2011, equation (8).
"""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from segmint.metrics.annotators import mean_over_annotators
from segmint.metrics.contingency import IGNORE_INDEX, Contingency


def covering(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
) -> float:
    """Covering of the truth by the labels: its segments' best IoU, weighted by their size.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them; the mean over annotators.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        0 to 1, 1 for the same segments, or NaN when no pixel is counted.

    Example:
        >>> covering([[0, 0, 0, 0]], [[0, 1, 1, 1]])
        0.625
    """
    return mean_over_annotators(covering_of, labels, masks, ignore_index)


def covering_of(table: Contingency) -> float:
    """Covering of the columns of a table by its rows."""
    if not table.total:
        return float("nan")
    return float(table.column_sizes @ table.best_intersection_over_union) / table.total
