"""A score in two parts, one of which falls with wrong splits and one with wrong mergers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SplitMerge:
    """Both parts, 0 to 1, NaN where nothing was counted.

    Example:
        >>> SplitMerge(split=0.5, merge=1.0).f_score
        0.6666666666666666
    """

    split: float
    """1 where no cell of the truth is split: the recall."""
    merge: float
    """1 where no cells of the truth are merged: the precision."""

    @property
    def f_score(self) -> float:
        """Harmonic mean of both, the score with alpha one half; 0 where both are 0."""
        total = self.split + self.merge
        return 2 * self.split * self.merge / total if total != 0 else 0.0
