"""The region adjacency graph of a label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RegionAdjacency:
    """Which regions touch, and the pixel pairs where they do.

    A shared boundary is measured in pairs of 4-neighbors, one in each of two regions.
    """

    pairs: NDArray[np.intp]
    """(P, 2) touching regions, smaller number first, in lexicographic order."""
    lengths: NDArray[np.float64]
    """(P,) boundary length of each pair in pixel sides."""
    side_pair: NDArray[np.intp]
    """(S,) the pair that each boundary side belongs to."""
    side_pixels: NDArray[np.intp]
    """(2, S) flat indices of the two pixels at each boundary side."""
    perimeters: NDArray[np.float64]
    """(R,) sides of each region towards anything else, the image border included."""

    def boundary_sums(self, side_values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sums of values of the boundary sides, (S,), over each pair, (P,)."""
        sums = np.bincount(self.side_pair, side_values, minlength=len(self.pairs))
        return sums.astype(np.float64, copy=False)

    def boundary_means(self, strength: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mean strength along the boundary of each pair, (P,), from a map of pixels (H, W)."""
        first, second = strength.ravel()[self.side_pixels]
        return self.boundary_sums(0.5 * (first + second)) / self.lengths


def region_adjacency(labels: NDArray[np.integer]) -> RegionAdjacency:
    """Find the touching regions of a label map.

    Args:
        labels: (H, W) region of each pixel from 0, negative where there is none.

    Example:
        >>> graph = region_adjacency(np.array([[0, 0, 1], [2, 2, 1]]))
        >>> graph.pairs.tolist(), graph.lengths.tolist()
        ([[0, 1], [0, 2], [1, 2]], [1.0, 2.0, 1.0])
    """
    pixels = np.arange(labels.size).reshape(labels.shape)
    sides = np.concatenate(
        [
            [pixels[:, :-1].ravel(), pixels[:, 1:].ravel()],
            [pixels[:-1].ravel(), pixels[1:].ravel()],
        ],
        axis=1,
    )
    flat = labels.ravel().astype(np.intp)
    first, second = flat[sides]
    count = int(flat.max(initial=-1)) + 1
    within = first[(first == second) & (first >= 0)]
    areas = np.bincount(flat[flat >= 0], minlength=count)
    perimeters = 4.0 * areas - 2.0 * np.bincount(within, minlength=count)

    between = (first != second) & (first >= 0) & (second >= 0)
    first, second = first[between], second[between]
    keys = np.minimum(first, second) * count + np.maximum(first, second)
    unique, side_pair = np.unique(keys, return_inverse=True)
    return RegionAdjacency(
        pairs=np.stack(np.divmod(unique, max(count, 1)), axis=1),
        lengths=np.bincount(side_pair, minlength=len(unique)).astype(np.float64),
        side_pair=side_pair,
        side_pixels=sides[:, between],
        perimeters=perimeters,
    )
