"""Regions, the tree that joins them, and the cut that was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segmint.errors import UsageError
from segmint.regions.merge_tree import MergeTree


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionHierarchy:
    """A segmentation that can be cut again, finer or coarser, without a new fit."""

    leaves: NDArray[np.int32]
    """(H, W) leaf of each pixel, -1 outside the region."""
    tree: MergeTree
    """How leaves join."""
    assignment: NDArray[np.int32]
    """(leaves,) component of each leaf."""

    @property
    def labels(self) -> NDArray[np.int32]:
        """(H, W) component of each pixel, -1 outside the region."""
        return np.append(self.assignment, np.int32(-1))[self.leaves]

    def with_components(self, components: int) -> RegionHierarchy:
        """The same regions cut into exactly so many components.

        Raises:
            UsageError: when there are fewer regions than that.
        """
        if not 1 <= components <= self.tree.leaves:
            raise UsageError(
                f"--components is {components}, but {self.tree.leaves} regions were found: "
                f"ask for 1 to {self.tree.leaves}"
            )
        return replace(self, assignment=self.tree.cut(components))
