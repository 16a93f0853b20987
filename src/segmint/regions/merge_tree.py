"""A complete binary merge tree over leaves, and its cuts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.errors import UsageError


@dataclass(frozen=True, eq=False)
class MergeTree:
    """The order in which leaves join until one node is left.

    The numbering is that of ``scipy.cluster.hierarchy.linkage``: leaves are nodes ``0..n-1`` and
    merge ``i`` makes node ``n + i``.

    Example:
        >>> tree = MergeTree(np.array([[0, 1], [2, 3]], np.int32), np.array([0.1, 0.7]))
        >>> tree.cut(2).tolist(), tree.cut_at(0.05).tolist()
        ([0, 0, 1], [0, 1, 2])
    """

    merges: NDArray[np.int32]
    """(n - 1, 2) the two nodes that each merge joins."""
    heights: NDArray[np.float64]
    """(n - 1,) how strongly those two were apart, never decreasing; infinite for nodes that share
    no boundary or must not join."""

    def __post_init__(self) -> None:
        """Check the shapes, the order of the heights and that children come before parents."""
        count = len(self.merges)
        if self.merges.shape != (count, 2) or self.heights.shape != (count,):
            raise ValueError(
                f"merges {self.merges.shape} and heights {self.heights.shape} must be (n - 1, 2) "
                "and (n - 1,)"
            )
        if np.any(self.heights[1:] < self.heights[:-1]) or np.isnan(self.heights).any():
            raise ValueError("heights must not decrease from one merge to the next")
        later = self.merges >= (self.leaves + np.arange(count))[:, None]
        if np.any(later) or len(np.unique(self.merges)) != 2 * count:
            raise ValueError("each merge must join two nodes that exist and are still roots")

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return len(self.merges) + 1

    def cut(self, components: int) -> NDArray[np.int32]:
        """Component of each leaf, (n,) in ``0..components-1``, by undoing the last merges.

        Args:
            components: from 1 to the number of leaves.

        Raises:
            UsageError: when it is not.
        """
        if not 1 <= components <= self.leaves:
            raise UsageError(f"--components is {components}, accepted are 1 to {self.leaves}")
        return self.cut_where(np.arange(len(self.merges)) < self.leaves - components)

    def cut_at(self, height: float) -> NDArray[np.int32]:
        """Component of each leaf, (n,), after all merges at most so high."""
        return self.cut_where(self.heights <= height)

    def cut_where(self, joined: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Component of each leaf, (n,), when only some merges are done.

        Components are numbered in the order of their first leaf.

        Args:
            joined: (n - 1,) merges to do. A merge above one that is not done is not done either.
        """
        count = self.leaves
        done = np.concatenate([np.ones(count, bool), joined])
        for node, children in enumerate(self.merges.tolist(), count):
            done[node] &= done[children[0]] and done[children[1]]
        # From the root down, a node that was made hands its own root on to its two children.
        root = np.arange(2 * count - 1)
        for merge in range(count - 2, -1, -1):
            if done[count + merge]:
                root[self.merges[merge]] = root[count + merge]
        _, first, labels = np.unique(root[:count], return_index=True, return_inverse=True)
        numbers = np.empty(len(first), np.int32)
        numbers[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        return numbers[labels]

    def accumulate(self, leaf_values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of leaf values, (n,), over the leaves under every node, (2n - 1,)."""
        totals = np.concatenate([leaf_values, np.zeros(len(self.merges))])
        for node, (first, second) in enumerate(self.merges.tolist(), self.leaves):
            totals[node] = totals[first] + totals[second]
        return totals
