"""What the hybrid method knows of an image before it is told scribbles or a number of components.

Most of its time goes here. Kept from one call to the next, it makes each further scribble quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.regions.agglomeration import agglomerate
from segmint.regions.boundaries import boundary_cues, boundary_strength
from segmint.regions.color import lab_image
from segmint.regions.cues import Channel, cue_channels
from segmint.regions.merge_tree import MergeTree
from segmint.regions.region_graph import RegionGraph, region_graph
from segmint.regions.watershed import split_by_scribbles, watershed_leaves
from segmint.regions.working_size import WorkingGrid


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredImage:
    """A working image with its boundaries and the leaves that these enclose."""

    lab: NDArray[np.float32]
    """(h, w, 3)"""
    channels: list[Channel]
    """(bins, h, w) each."""
    strength: NDArray[np.float32]
    """(h, w), of the boundary."""
    leaves: NDArray[np.int32]
    """(h, w), -1 outside."""

    @classmethod
    def of(cls, image: NDArray[np.float32], mask: NDArray[np.bool_], seed: int) -> Self:
        """Measure an image (h, w, C) inside a mask (h, w) with at least one pixel."""
        lab = lab_image(image, mask)
        channels = cue_channels(lab, seed)
        strength = boundary_strength(boundary_cues(channels))
        leaves = watershed_leaves(strength, mask)
        return cls(lab=lab, channels=channels, strength=strength, leaves=leaves)

    def split(self, marks: NDArray[np.int32]) -> NDArray[np.int32]:
        """Leaves (h, w) that hold one scribble or none.

        Args:
            marks: (h, w) scribble numbers from 0, -1 where there is none.
        """
        return split_by_scribbles(self.leaves, self.strength, marks)

    def graph(self, leaves: NDArray[np.int32]) -> RegionGraph:
        """Leaves (h, w) with their statistics."""
        return region_graph(leaves, self.channels, self.strength, self.lab)

    @cached_property
    def joined(self) -> tuple[RegionGraph, MergeTree]:
        """The unsplit leaves and how they join."""
        graph = self.graph(self.leaves)
        return graph, agglomerate(graph)


@dataclass(frozen=True, kw_only=True, eq=False)
class HybridStart:
    """An image at working size, and the way back to its own."""

    image: NDArray[np.float32]
    """(H, W, C), finite."""
    mask: NDArray[np.bool_]
    """(H, W), the pixels to segment."""
    working_pixels: int
    seed: int
    grid: WorkingGrid
    working_image: NDArray[np.float32]
    """(h, w, C)"""
    measured: MeasuredImage

    @classmethod
    def of(
        cls,
        image: NDArray[np.float32],
        region: NDArray[np.bool_] | None = None,
        *,
        working_pixels: int,
        seed: int,
    ) -> Self:
        """Measure an image.

        Args:
            image: (H, W, C); three channels within 0..1 are sRGB.
            region: (H, W), the pixels to segment; all of them without it.
            working_pixels: larger images are measured at about this size.
            seed: of the pixels that textures are learned from.

        Raises:
            InputError: when an array has the wrong shape, or the region is empty.
        """
        mask = checked_mask(image, region)
        finite = _finite(image)
        grid = WorkingGrid.of(mask.shape, working_pixels)
        working_image = grid.means(finite, mask)
        working_mask = grid.pooled(np.maximum, mask)
        return cls(
            image=finite,
            mask=mask,
            working_pixels=working_pixels,
            seed=seed,
            grid=grid,
            working_image=working_image,
            measured=MeasuredImage.of(working_image, working_mask, seed),
        )

    def fits(
        self,
        image: NDArray[np.float32],
        region: NDArray[np.bool_] | None,
        *,
        working_pixels: int,
        seed: int,
    ) -> bool:
        """Whether :meth:`of` would give the same of these."""
        own = (self.working_pixels, self.seed, self.image.shape)
        if (working_pixels, seed, image.shape) != own:
            return False
        same_mask = self.mask.all() if region is None else np.array_equal(region, self.mask)
        return bool(same_mask) and np.array_equal(_finite(image), self.image)

    @property
    def nbytes(self) -> int:
        """Memory that it takes, in bytes."""
        measured = self.measured
        arrays = (self.image, self.mask, self.working_image, measured.lab, *measured.channels)
        places = 0 if self.grid.is_full else 4 * self.mask.size
        return sum(array.nbytes for array in arrays) + places

    def full_leaves(self, leaves: NDArray[np.int32]) -> NDArray[np.int32]:
        """Leaves (H, W) of leaves (h, w), their boundaries moved on to the edges of the image."""
        if self.grid.is_full:
            return np.where(self.mask, leaves, np.int32(-1))
        return np.append(leaves.ravel(), np.int32(-1))[self._places]

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """(H, W) flat index of the working pixel that each pixel takes its leaf from, or -1.

        That pixel is chosen by color and place alone, so it is the same for leaves that are split.
        """
        leaves = self.measured.leaves
        numbers = np.arange(leaves.size, dtype=np.int32).reshape(leaves.shape)
        known = np.where(leaves >= 0, numbers, np.int32(-1))
        return self.grid.full_labels(known, self.working_image, self.image, self.mask)


def checked_mask(image: NDArray[np.float32], region: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """The region as a mask (H, W) after checking shapes."""
    if image.ndim != 3 or image.size == 0:
        raise InputError(f"the image has shape {image.shape}, accepted is (H, W, C), not empty")
    if region is None:
        return np.ones(image.shape[:2], bool)
    if region.shape != image.shape[:2] or not region.any():
        raise InputError(
            f"the region has shape {region.shape} and {np.count_nonzero(region)} pixels, accepted "
            f"is {image.shape[:2]} with at least one"
        )
    return region.astype(bool)


def _finite(image: NDArray[np.float32]) -> NDArray[np.float32]:
    if np.isfinite(image).all():
        return image
    finite: NDArray[np.float32] = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)
    return finite
