"""How many pixels each cell of the truth shares with each cell that was found.

Only pixels inside of the cells of the truth count, which is what foreground-restricted means. The
truth's side is made once for all thresholds of a prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.interiors import cells_of
from segmint.metrics.nearest_cells import nearest_cells

_DENSE = 1 << 22
"""So many pairs of cells are counted in a table, more by sorting."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CellOverlap:
    """Numbers of pixels; only those inside of the truth's cells count."""

    shared: NDArray[np.int64]
    """(M,) of each pair of a cell of the truth and a found cell that overlap, all at least 1."""
    truth: NDArray[np.int64]
    """(T,) of each cell of the truth."""
    found: NDArray[np.int64]
    """(F,) of each found cell, 0 for one outside of the truth's cells."""
    alone: int = 0
    """On a border of the prediction: each of these pixels is a cell of its own."""

    @property
    def total(self) -> int:
        """Number of counted pixels."""
        return int(self.truth.sum())


class TruthCells:
    """The cells of the truth of one slice, to be met with one prediction or many."""

    def __init__(self, truth: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None) -> None:
        """Number the cells.

        Args:
            truth: (H, W), inside of a cell: the cells are its 4-connected pieces.
            counted: (H, W), the pixels that count; None counts all.
        """
        numbers, count = cells_of(truth)
        if counted is not None:
            numbers = np.where(counted, numbers, 0)
        self._pixels = np.flatnonzero(numbers)
        self._cells = numbers.ravel()[self._pixels].astype(np.intp) - 1
        self._sizes = np.bincount(self._cells, minlength=count)

    def overlaps(self, interior: NDArray[np.bool_]) -> tuple[CellOverlap, CellOverlap]:
        """The overlap with the 4-connected pieces of a predicted interior.

        Args:
            interior: (H, W), inside of a cell.

        Returns:
            With the borders as they are, each of their pixels alone; and with borders thinned to
            nothing, each of their pixels being given to the nearest cell.
        """
        numbers, count = cells_of(interior)
        at_pixels = numbers.ravel()[self._pixels]
        border = np.flatnonzero(at_pixels == 0)
        pairs, counts = self._count(self._cells, at_pixels, count)
        inside = pairs % (count + 1) > 0
        pairs, counts = pairs[inside], counts[inside]
        as_given = self._overlap(pairs, counts, count, alone=border.size)
        if not border.size:
            return as_given, as_given
        grown = nearest_cells(numbers, self._pixels[border])
        more_pairs, more_counts = self._count(self._cells[border], grown, count)
        pairs, group = np.unique(np.concatenate([pairs, more_pairs]), return_inverse=True)
        counts = _sums(group, np.concatenate([counts, more_counts]), pairs.size)
        return as_given, self._overlap(pairs, counts, count)

    def _count(
        self, cells: NDArray[np.intp], numbers: NDArray[np.int32], count: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Codes of the pairs that occur, ``cell * (count + 1) + number``, and their pixels."""
        codes = cells * (count + 1) + numbers
        if self._sizes.size * (count + 1) > _DENSE:
            return np.unique(codes, return_counts=True)
        counts = np.bincount(codes)
        pairs = np.flatnonzero(counts)
        return pairs, counts[pairs]

    def _overlap(
        self, pairs: NDArray[np.intp], counts: NDArray[np.int64], count: int, alone: int = 0
    ) -> CellOverlap:
        found = _sums(pairs % (count + 1), counts, count + 1)
        return CellOverlap(shared=counts, truth=self._sizes, found=found, alone=alone)


def _sums(group: NDArray[np.intp], values: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    # Sums in float64 are exact: a slice has fewer than 2**53 pixels.
    return np.bincount(group, weights=values, minlength=groups).astype(np.int64)
