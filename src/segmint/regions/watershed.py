"""The leaves: watershed basins of the boundary strength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmint.regions.adjacency import region_adjacency

SMOOTHING = 1.0
"""Gaussian sigma in pixels before minima are sought."""
DEPTH_STEP = 0.05
"""Boundary strength is rounded to this, so that shallower minima are not minima."""
SMALLEST_LEAF = 10
"""Pixels. Smaller basins join the neighbor across their weakest boundary."""
ABSORBING_ROUNDS = 6


def watershed_leaves(strength: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Label the basins of a boundary strength map, (H, W), -1 outside the mask.

    Args:
        strength: (H, W).
        mask: (H, W), with at least one pixel.
    """
    from scipy.ndimage import gaussian_filter, label
    from skimage.morphology import local_minima
    from skimage.segmentation import watershed

    levels = np.round(gaussian_filter(strength, SMOOTHING) / DEPTH_STEP).astype(np.int32)
    # A rim above everything makes a minimum of every flat piece, even of a constant image.
    ceiling = levels.max() + 1
    rimmed = np.pad(np.where(mask, levels, ceiling), 1, constant_values=ceiling)
    minima = local_minima(rimmed, connectivity=1)[1:-1, 1:-1] & mask  # type: ignore[no-untyped-call]
    basins = watershed(levels, label(minima)[0], mask=mask)  # type: ignore[no-untyped-call]
    return absorb_small(basins.astype(np.int32) - 1, strength)


def absorb_small(
    labels: NDArray[np.int32], strength: NDArray[np.float32], smallest: int = SMALLEST_LEAF
) -> NDArray[np.int32]:
    """Join every small region to the neighbor across its weakest boundary.

    Args:
        labels: (H, W), regions from 0 and -1 outside.
        strength: (H, W).
        smallest: regions of fewer pixels are joined, unless they have no neighbor.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    for _ in range(ABSORBING_ROUNDS):
        areas = np.bincount(labels[labels >= 0])
        graph = region_adjacency(labels)
        if len(graph.pairs) == 0 or areas.min() >= smallest:
            break
        means = graph.boundary_means(strength)
        ends = np.concatenate([graph.pairs, graph.pairs[:, ::-1]])
        # Written from the strongest to the weakest, so that the weakest stays.
        order = np.argsort(-np.concatenate([means, means]), kind="stable")
        weakest = np.arange(len(areas))
        weakest[ends[order, 0]] = ends[order, 1]
        small = np.flatnonzero(areas < smallest)
        links = coo_array((np.ones(len(small)), (small, weakest[small])), shape=(len(areas),) * 2)
        joined = connected_components(links, directed=False)[1].astype(np.int32)
        labels = np.append(joined, np.int32(-1))[labels]
    return labels


def split_by_scribbles(
    leaves: NDArray[np.int32], strength: NDArray[np.float32], scribbles: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Split every leaf that scribbles of two ids cross, by a watershed from the scribbles.

    Args:
        leaves: (H, W), -1 outside.
        strength: (H, W).
        scribbles: (H, W) ids from 0, -1 where there is none.

    Returns:
        Leaves that hold one id or none, numbered without gaps.
    """
    from skimage.segmentation import watershed

    marked = (scribbles >= 0) & (leaves >= 0)
    if not marked.any():
        return leaves
    ids = int(scribbles.max()) + 1
    pairs = np.unique(leaves[marked].astype(np.int64) * ids + scribbles[marked])
    crossed = np.bincount(pairs // ids, minlength=int(leaves.max()) + 1) > 1
    contested = np.append(crossed, False)[leaves]
    markers = np.where(contested & marked, scribbles + 1, 0)
    flooded = watershed(strength, markers, mask=contested)  # type: ignore[no-untyped-call]
    keys = leaves.astype(np.int64) * (ids + 1) + flooded
    inside = leaves >= 0
    split = np.full(leaves.shape, -1, np.int32)
    split[inside] = np.unique(keys[inside], return_inverse=True)[1]
    return split
