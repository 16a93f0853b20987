"""One partition from a merge tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.regions.merge_tree import MergeTree

CLEAR_HEIGHT = 0.3
"""Regions that are apart with more than this probability count as clearly apart."""
FINENESS_RANGE = 3.0
"""Log odds between the coarsest and the finest threshold."""


@dataclass(frozen=True)
class CutWeights:
    """What decides about a merge besides its height, learned for best overlap and covering."""

    larger_area: float = -0.168
    """Weight of the logarithm of the larger of the two areas, as a share of all."""
    busyness: float = -0.361
    """Weight of the logarithm of the number of regions that are clearly apart."""
    threshold: float = -1.756
    """Evidence below which regions are joined."""


DEFAULT_WEIGHTS = CutWeights()


def chosen_cut(
    tree: MergeTree,
    areas: NDArray[np.float64],
    fineness: float = 0.5,
    weights: CutWeights = DEFAULT_WEIGHTS,
) -> NDArray[np.int32]:
    """Component of each leaf, (n,), in a cut that is not at one height.

    A merge is done when the log odds of a boundary, less a term for the larger of the two areas,
    stay below a threshold, and when the merges below it are done: what is joined to a large
    surface is joined more readily than two small regions are, so that large surfaces stay whole
    and small objects stay. The threshold rises with the number of regions that are clearly apart,
    so that busy images are not cut into many more pieces than annotators draw.

    Args:
        tree: heights are probabilities of a boundary, or infinite.
        areas: (n,) pixels of the leaves.
        fineness: 0 coarse to 1 fine.
        weights: of the terms and the threshold.
    """
    if len(tree.merges) == 0:
        return np.zeros(1, np.int32)
    larger = tree.accumulate(areas)[tree.merges].max(axis=1) / areas.sum()
    heights = np.clip(tree.heights, 1e-6, 1 - 1e-6)
    clearly_apart = 1 + np.count_nonzero(tree.heights > CLEAR_HEIGHT)
    evidence = (
        np.log(heights / (1 - heights))
        + weights.larger_area * np.log(larger)
        + weights.busyness * np.log(clearly_apart)
    )
    threshold = weights.threshold + FINENESS_RANGE * (0.5 - fineness)
    return tree.cut_where((evidence <= threshold) & np.isfinite(tree.heights))
