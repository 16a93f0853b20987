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

    smaller_area: float = 0.0
    """Weight of the logarithm of the smaller of the two areas, as a share of all."""
    larger_area: float = -0.21
    """Weight of the logarithm of the larger one."""
    busyness: float = -0.435
    """Weight of the logarithm of the number of regions that are clearly apart."""
    threshold: float = -1.91
    """Evidence below which regions are joined."""

    def as_tuple(self) -> tuple[float, float, float, float]:
        """The four numbers in order."""
        return self.smaller_area, self.larger_area, self.busyness, self.threshold


DEFAULT_WEIGHTS = CutWeights()


def chosen_cut(
    tree: MergeTree,
    areas: NDArray[np.float64],
    fineness: float = 0.5,
    weights: CutWeights = DEFAULT_WEIGHTS,
) -> NDArray[np.int32]:
    """Component of each leaf, (n,), in a cut that is not at one height.

    A merge is done when its log odds of a boundary, less a term for the areas that it joins, stay
    below a threshold, and when the merges below it are done. At one height, either small objects
    are lost or large surfaces break up; with the terms for area both stay. The threshold rises a
    little with the number of regions that are clearly apart, so that busy images are not cut into
    many more pieces than annotators draw.

    Args:
        tree: heights are probabilities of a boundary, or infinite.
        areas: (n,) pixels of the leaves.
        fineness: 0 coarse to 1 fine.
        weights: of the terms and the threshold.
    """
    if len(tree.merges) == 0:
        return np.zeros(1, np.int32)
    shares = np.sort(tree.accumulate(areas)[tree.merges], axis=1) / areas.sum()
    heights = np.clip(tree.heights, 1e-6, 1 - 1e-6)
    clearly_apart = 1 + np.count_nonzero(tree.heights > CLEAR_HEIGHT)
    evidence = (
        np.log(heights / (1 - heights))
        + weights.smaller_area * np.log(shares[:, 0])
        + weights.larger_area * np.log(shares[:, 1])
        + weights.busyness * np.log(clearly_apart)
    )
    threshold = weights.threshold + FINENESS_RANGE * (0.5 - fineness)
    return tree.cut_where((evidence <= threshold) & np.isfinite(tree.heights))
