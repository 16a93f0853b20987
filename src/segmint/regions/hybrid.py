"""The hybrid method: boundaries, superpixels and a learned merge tree, without labels.

Histogram gradients make a boundary strength, its watershed basins are leaves, a logistic
regression on boundaries and regions joins them into a tree, and the tree is cut. With scribbles
the leaves go to scribbles instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.regions.agglomeration import agglomerate
from segmint.regions.cutting import chosen_cut
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.hybrid_start import HybridStart, MeasuredImage
from segmint.regions.merge_tree import MergeTree
from segmint.regions.region_graph import RegionGraph
from segmint.regions.seeding import leaf_scribbles, seeded_assignment
from segmint.regions.working_size import WorkingGrid

WORKING_PIXELS = 200_000


@dataclass(frozen=True, kw_only=True, eq=False)
class HybridHierarchy(RegionHierarchy):
    """A region hierarchy with the boundary strength that it grew from."""

    boundary_strength: NDArray[np.float32]
    """(h, w) at working size, 0 where nothing changes."""


def hybrid_segmentation(
    image: NDArray[np.float32],
    *,
    region: NDArray[np.bool_] | None = None,
    scribbles: NDArray[np.integer] | None = None,
    components: int | None = None,
    fineness: float = 0.5,
    working_pixels: int = WORKING_PIXELS,
    seed: int = 0,
) -> HybridHierarchy:
    """Segment an image of any number of channels without labels, or with a few scribbles.

    Args:
        image: (H, W, C); three channels within 0..1 are sRGB.
        region: (H, W), the pixels to segment; all of them without it.
        scribbles: (H, W) ids, -1 for unlabelled pixels. Every scribbled pixel keeps its id
            apart from other ids; component k is the area of the k-th smallest id.
        components: exact number of components, at most the number of leaves and with scribbles
            their number of ids. Without it the number follows from the scribbles, or from the
            image and ``fineness``.
        fineness: 0 coarse to 1 fine.
        working_pixels: larger images are segmented at about this size and then refined.
        seed: of the pixels that textures are learned from.

    Raises:
        InputError: when an array has the wrong shape, or the region is empty.
        UsageError: when an option is outside its range.
    """
    check_options(fineness, working_pixels, components)
    start = HybridStart.of(image, region, working_pixels=working_pixels, seed=seed)
    return segmentation_from(start, scribbles=scribbles, components=components, fineness=fineness)


def segmentation_from(
    start: HybridStart,
    *,
    scribbles: NDArray[np.integer] | None = None,
    components: int | None = None,
    fineness: float = 0.5,
) -> HybridHierarchy:
    """What :func:`hybrid_segmentation` gives of an image that was measured before.

    Args:
        start: the measured image, kept from one call to the next.
        scribbles: as for :func:`hybrid_segmentation`.
        components: as there.
        fineness: as there.

    Raises:
        InputError: when the scribbles have the wrong shape.
        UsageError: when an option is outside its range.
    """
    check_options(fineness, start.working_pixels, components)
    ids, marks = scribble_ids(scribbles, start.mask)
    if len(ids) and components not in (None, len(ids)):
        raise UsageError(
            f"--components is {components}, but the scribbles hold {len(ids)} ids and each becomes "
            "one component: leave components out or scribble as many areas"
        )

    measured = start.measured
    working_marks = pooled_marks(start.grid, marks, len(ids))
    leaves = measured.split(working_marks)
    if np.array_equal(leaves, measured.leaves):
        graph, tree = measured.joined
    else:
        graph = measured.graph(leaves)
        tree = agglomerate(graph)

    full = start.full_leaves(leaves)
    if len(ids):
        leaf_marks = leaf_scribbles(leaves, working_marks)
        full = keep_marks(full, marks, leaf_marks)
        assignment = seeded_assignment(graph, tree, leaf_marks)
    else:
        assignment = assigned(tree, graph, components, fineness)
    return HybridHierarchy(
        leaves=full, tree=tree, assignment=assignment, boundary_strength=measured.strength
    )


def working_leaves(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    marks: NDArray[np.int32],
    seed: int,
) -> tuple[NDArray[np.int32], RegionGraph, NDArray[np.float32]]:
    """Leaves (h, w), their graph and the boundary strength (h, w) of a working image.

    Args:
        image: (h, w, C).
        mask: (h, w), with at least one pixel.
        marks: (h, w) scribble numbers from 0, -1 where there is none.
        seed: of the pixels that textures are learned from.
    """
    measured = MeasuredImage.of(image, mask, seed)
    leaves = measured.split(marks)
    return leaves, measured.graph(leaves), measured.strength


def assigned(
    tree: MergeTree, graph: RegionGraph, components: int | None, fineness: float
) -> NDArray[np.int32]:
    """(leaves,) component of each leaf, without scribbles.

    Raises:
        UsageError: when there are fewer leaves than components.
    """
    if components is None:
        return chosen_cut(tree, graph.areas, fineness)
    if components > tree.leaves:
        raise UsageError(
            f"--components is {components}, but {tree.leaves} regions were found: "
            f"ask for 1 to {tree.leaves}"
        )
    return tree.cut(components)


def check_options(fineness: float, working_pixels: int, components: int | None) -> None:
    """Check the ranges of the options."""
    if not 0 <= fineness <= 1:
        raise UsageError(f"fineness is {fineness}, accepted is 0 (coarse) to 1 (fine)")
    if working_pixels < 1:
        raise UsageError(f"working_pixels is {working_pixels}, accepted is 1 or more")
    if components is not None and components < 1:
        raise UsageError(f"--components is {components}, accepted is 1 or more")


def scribble_ids(
    scribbles: NDArray[np.integer] | None, mask: NDArray[np.bool_]
) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """The ids in use, (N,), and their numbers 0..N-1 at scribbled pixels, (H, W), -1 elsewhere."""
    marks = np.full(mask.shape, -1, np.int32)
    if scribbles is None:
        return np.empty(0, np.int32), marks
    if scribbles.shape != mask.shape:
        raise InputError(f"the scribbles have shape {scribbles.shape}, accepted is {mask.shape}")
    marked = mask & (scribbles >= 0)
    ids, numbers = np.unique(scribbles[marked], return_inverse=True)
    marks[marked] = numbers
    return ids, marks


def pooled_marks(grid: WorkingGrid, marks: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """One scribble number for each working pixel, -1 for none.

    The rarest of several stays. Where a scribble would be lost because rarer ones cross all of its
    working pixels, each scribble is given one of its working pixels first.

    Raises:
        InputError: when there are not enough working pixels for that.
    """
    if grid.is_full:
        return marks
    # Numbered from the most to the least frequent, the rarest is the maximum.
    by_frequency = np.argsort(-np.bincount(marks[marks >= 0], minlength=count), kind="stable")
    rank = np.empty(count + 1, np.int32)
    rank[by_frequency] = np.arange(count)
    rank[count] = -1
    numbers = np.append(by_frequency, -1).astype(np.int32)
    pooled: NDArray[np.int32] = numbers[grid.pooled(np.maximum, rank[marks])]
    if len(np.unique(pooled[pooled >= 0])) < count:
        own = own_pixels(grid, marks, count)
        pooled.flat[own] = np.arange(count)
    return pooled


def own_pixels(grid: WorkingGrid, marks: NDArray[np.int32], count: int) -> NDArray[np.intp]:
    """A working pixel, as a flat index, for each scribble that no other is given, (count,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rows, columns = np.nonzero(marks >= 0)
    places = grid.rows[rows] * grid.shape[1] + grid.columns[columns]
    links = (np.ones(len(rows)), (marks[rows, columns], places))
    crossed = coo_array(links, shape=(count, grid.shape[0] * grid.shape[1])).tocsr()
    own = maximum_bipartite_matching(crossed, perm_type="column")
    if own.min() < 0:
        raise InputError(
            f"the {count} scribbles lie within fewer pixels of the working size "
            f"{grid.shape[0]} x {grid.shape[1]}: increase working_pixels or draw them apart"
        )
    return own.astype(np.intp)


def keep_marks(
    leaves: NDArray[np.int32], marks: NDArray[np.int32], leaf_marks: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Move scribbled pixels that ended in a foreign leaf to the first leaf of their scribble.

    Args:
        leaves: (H, W), -1 outside.
        marks: (H, W) scribble numbers, -1 where there is none.
        leaf_marks: (n,) scribble number of each leaf or -1, every number at least once.
    """
    numbers, first = np.unique(leaf_marks, return_index=True)
    own = first[numbers >= 0].astype(np.int32)
    wrong = (marks >= 0) & (np.append(leaf_marks, np.int32(-1))[leaves] != marks)
    kept = leaves.copy()
    kept[wrong] = own[marks[wrong]]
    return kept
