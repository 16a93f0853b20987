"""How large each label is, where it begins and what its pixels add up to, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.images.window import Window

NOWHERE = np.iinfo(np.int64).max
"""Where a label begins that does not occur."""

_ROWS = 64
"""Rows that are counted at once, which stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelStatistics:
    """Of K labels over C channels."""

    counts: NDArray[np.int64]
    """(K,) pixels."""
    first: NDArray[np.int64]
    """(K,) the first pixel in reading order, plane after plane; ``NOWHERE`` without one."""
    sums: NDArray[np.float64]
    """(K, C), exact for integers."""

    @classmethod
    def of(
        cls,
        ids: NDArray[np.unsignedinteger[Any]],
        pixels: NDArray[Any],
        *,
        classes: int,
        window: Window,
        width: int,
        start: int = 0,
    ) -> Self:
        """Of one block.

        Args:
            ids: (h, w), those from K on lie outside the region.
            pixels: (h, w, C).
            classes: K.
            window: where the block lies.
            width: of the scene.
            start: pixels of the planes before.
        """
        counts, sums = np.zeros(classes, np.int64), np.zeros((classes, pixels.shape[-1]))
        first = np.full(classes, NOWHERE)
        for top in range(0, len(ids), _ROWS):
            band = np.minimum(ids[top : top + _ROWS], classes).astype(np.intp).ravel()
            found = np.bincount(band, minlength=classes + 1)[:classes]
            for label in np.flatnonzero((counts == 0) & (found > 0)):
                row, column = divmod(int(np.argmax(band == label)), ids.shape[1])
                place = (window.top + top + row) * width + window.left + column
                first[label] = start + place
            counts += found
            for channel in range(pixels.shape[-1]):
                values = pixels[top : top + _ROWS, :, channel].ravel()
                sums[:, channel] += np.bincount(band, values, classes + 1)[:classes]
        return cls(counts=counts, first=first, sums=sums)

    @classmethod
    def total(cls, each: Iterable[Self], classes: int, channels: int) -> Self:
        """Of several blocks together, added up in their order."""
        counts, sums = np.zeros(classes, np.int64), np.zeros((classes, channels))
        first = np.full(classes, NOWHERE)
        for one in each:
            counts += one.counts
            sums += one.sums
            np.minimum(first, one.first, out=first)
        return cls(counts=counts, first=first, sums=sums)

    def to_bytes(self) -> bytes:
        """For :meth:`from_bytes`."""
        return b"".join(
            array.astype(array.dtype.newbyteorder("<")).tobytes()
            for array in (self.counts, self.first, self.sums)
        )

    @classmethod
    def from_bytes(cls, data: bytes, classes: int) -> Self:
        """What :meth:`to_bytes` gave."""
        whole = np.frombuffer(data, "<i8", 2 * classes).astype(np.int64)
        sums = np.frombuffer(data, "<f8", offset=whole.nbytes).astype(np.float64)
        sums = sums.reshape(classes, -1) if classes else sums.reshape(0, 0)
        return cls(counts=whole[:classes], first=whole[classes:], sums=sums)

    @property
    def present(self) -> NDArray[np.int64]:
        """Labels that occur, in increasing order."""
        return np.flatnonzero(self.counts)
