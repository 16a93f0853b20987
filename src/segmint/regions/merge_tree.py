"""A binary tree of merges over regions, cut at any number of components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class MergeTree:
    """Agglomeration in the linkage convention of SciPy."""

    merges: NDArray[np.int32]
    heights: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return len(self.merges) + 1

    def cut(self, components: int) -> NDArray[np.int32]:
        """(leaves,) component of each leaf."""
        return self._components(self.leaves - components)

    def cut_at(self, height: float) -> NDArray[np.int32]:
        """As cut, by height."""
        return self._components(int(np.searchsorted(self.heights, height, side="right")))

    def _components(self, merged: int) -> NDArray[np.int32]:
        parents = np.arange(self.leaves + len(self.merges))
        for index in range(merged - 1, -1, -1):
            parents[self.merges[index]] = parents[self.leaves + index]
        _, compact = np.unique(parents[: self.leaves], return_inverse=True)
        return compact.astype(np.int32)
