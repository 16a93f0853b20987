"""The hybrid method on scenes: a working image from one pass, labels window by window.

A pixel's label depends on the working image around it and on its own value alone, so windows give
exactly what :func:`segmint.regions.hybrid.hybrid_segmentation` gives for the whole image.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined, pass_size
from segmint.images.unit_range import UnitRange
from segmint.images.window import Window
from segmint.regions.agglomeration import agglomerate
from segmint.regions.hybrid import WORKING_PIXELS, assigned, check_options, working_leaves
from segmint.regions.working_size import NEIGHBORS, WorkingGrid


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plane:
    """What is kept of a slice, all at working size."""

    components: NDArray[np.int32]
    """(leaves,) id of each leaf."""
    leaves: NDArray[np.int32]
    """(h, w), -1 outside the region."""
    own: NDArray[np.int32]
    """(h, w) id of each working pixel, 0 outside the region."""
    mixed: NDArray[np.bool_]
    """(h, w), where pixels may take another id from a neighbor."""
    image: NDArray[np.float32]
    """(h, w, C)"""


class HybridScene:
    """Labels of any window of a scene.

    The memory grows with the working pixels of all slices, by 13 bytes and 4 a channel each, not
    with the scene.

    Args:
        pixels: of the scene, and its region.
        components: exact number in each slice; without it the scene decides.
        fineness: 0 coarse to 1 fine.
        working_pixels: about how many of each slice the boundaries are measured on.
        seed: of the pixels that textures are learned from.

    Raises:
        InputError: when no pixel counts, or values that count are not finite.
        UsageError: for an option outside its range, or more components than regions.
    """

    block = 2048, 2048
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        pixels: ScenePixels,
        *,
        components: int | None = None,
        fineness: float = 0.5,
        working_pixels: int = WORKING_PIXELS,
        seed: int = 0,
    ) -> None:
        check_options(fineness, working_pixels, components)
        scene = pixels.scene
        self._range = examined(pixels)
        self._grid = WorkingGrid.of(scene.size, working_pixels)
        self._planes: list[_Plane | None] = []
        self.classes = 0
        for plane in range(scene.planes):
            image, mask = working_image(pixels, self._grid, self._range, plane)
            if not mask.any():
                self._planes.append(None)
                continue
            leaves, graph, _ = working_leaves(image, mask, np.full(mask.shape, -1, np.int32), seed)
            chosen = assigned(agglomerate(graph), graph, components, fineness)
            self._planes.append(_kept(leaves, image, chosen + np.int32(self.classes)))
            self.classes += int(chosen.max()) + 1
        if not self.classes:
            raise InputError(
                f"no pixel of {scene.source or 'the image'} counts, at least one is needed: the "
                "region is empty, or all blocks are damaged"
            )

    @property
    def decided(self) -> tuple[str, ...]:
        """At what size the scene was segmented, one sentence each."""
        height, width = self._grid.shape
        decided = []
        if not self._grid.is_full:
            whole = f"{len(self._grid.columns)}x{len(self._grid.rows)}"
            decided.append(
                f"segmented at {width}x{height} of {whole} pixels, boundaries moved on to the "
                "edges of the full image"
            )
        if len(self._planes) > 1:
            decided.append(
                f"{len(self._planes)} slices segmented one by one: no component spans two slices"
            )
        return tuple(decided)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.int32]:
        """(h, w), 0 to K - 1; any of them outside the region."""
        kept = self._planes[plane]
        if kept is None:
            return np.zeros(window.size, np.int32)
        at = np.ix_(
            *(
                axis[part]
                for axis, part in zip(
                    (self._grid.rows, self._grid.columns), window.slices, strict=True
                )
            )
        )
        found = kept.own[at]
        if self._grid.is_full:
            return found
        rows, columns = np.nonzero(kept.mixed[at])
        if len(rows):
            pixels = self._range(scene.read(window, plane)[rows, columns])
            leaves = self._grid.nearest(
                kept.leaves, kept.image, pixels, rows + window.top, columns + window.left
            )
            found[rows, columns] = np.append(kept.components, kept.components[0])[leaves]
        return found

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """There are none.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "method 'hybrid' has no probabilities: leave --probabilities out or use another method"
        )


def working_image(
    pixels: ScenePixels, grid: WorkingGrid, unit: UnitRange, plane: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The means (h, w, C) of what counts in each pool, and where anything does (h, w).

    Windows are made of whole pools, so that the sums are added up in the order in which
    :meth:`WorkingGrid.means` adds up those of the whole image.
    """
    scene = pixels.scene
    image = np.empty((*grid.shape, scene.channels), np.float32)
    mask = np.empty(grid.shape, np.bool_)
    wanted = pass_size(scene)
    for top, bottom in _spans(grid.rows, wanted[0]):
        for left, right in _spans(grid.columns, wanted[1]):
            part = WorkingGrid(grid.rows[top:bottom], grid.columns[left:right])
            window = Window(top=top, bottom=bottom, left=left, right=right)
            values, counts = pixels.read(window, plane)
            counting = np.ones(window.size, np.bool_) if counts is None else counts
            at = np.ix_(np.unique(part.rows), np.unique(part.columns))
            image[at] = _means(part, unit(values), counting, full=grid.is_full)
            mask[at] = part.pooled(np.maximum, counting)
    return image, mask


def _means(
    part: WorkingGrid, image: NDArray[np.float32], mask: NDArray[np.bool_], *, full: bool
) -> NDArray[np.float32]:
    return (
        np.where(mask[..., None], image, np.float32(0)) if full else part.pooled_means(image, mask)
    )


def _spans(axis: NDArray[np.intp], wanted: int) -> list[tuple[int, int]]:
    """First and last place of runs of whole pools, each about as long as wanted or one pool."""
    starts = np.append(np.flatnonzero(np.diff(axis, prepend=-1)), len(axis))
    ends, last = [0], 0
    for following in range(wanted, len(axis) + wanted, wanted):
        end = int(starts[np.searchsorted(starts, following, side="right") - 1])
        if end > last:
            ends.append(end)
            last = end
    if last < len(axis):
        ends.append(len(axis))
    return list(itertools.pairwise(ends))


def _kept(
    leaves: NDArray[np.int32], image: NDArray[np.float32], components: NDArray[np.int32]
) -> _Plane:
    """What windows are answered from."""
    own = np.append(components, np.int32(-1))[leaves]
    mixed = np.zeros(own.shape, np.bool_)
    padded = np.pad(own, 1, constant_values=-1)
    height, width = own.shape
    for down, right in NEIGHBORS:
        other = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        mixed |= (own >= 0) & (other >= 0) & (other != own)
    return _Plane(
        components=components,
        leaves=leaves,
        own=np.where(own < 0, components[0], own),
        mixed=mixed,
        image=image,
    )
