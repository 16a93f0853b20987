"""What is kept of the blocks of a scene until all of them are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.tile_codec import inflated
from segmint.images.window import Window
from segmint.inference.block_form import BlockForm
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.spool import Parts, Spool


class BlockStore:
    """Blocks in a spool: statistics, labels, and where asked for probabilities, tile by tile.

    Args:
        spool: where they are.
        form: what is kept of each.
    """

    def __init__(self, spool: Spool, form: BlockForm) -> None:
        self.spool = spool
        self.form = form
        self.grid, self.classes, self.maps = form.grid, form.classes, form.maps

    def keep(
        self,
        index: int,
        labels: NDArray[np.unsignedinteger[Any]],
        pixels: NDArray[Any],
        probabilities: NDArray[np.float32] | None,
    ) -> None:
        """Add a block, as :meth:`BlockForm.encoded` takes it.

        Raises:
            OutputError: when it cannot be written; the blocks before it stay.
        """
        self.add(index, self.form.encoded(index, labels, pixels, probabilities))

    def add(self, index: int, parts: Parts) -> None:
        """Add a block that :meth:`BlockForm.encoded` gave, here or elsewhere.

        Raises:
            OutputError: when it cannot be written; the blocks before it stay.
        """
        self.spool.append(index, parts)

    def labels(self, tile: Window, plane: int) -> NDArray[np.unsignedinteger[Any]]:
        """Labels (h, w) of a tile.

        Raises:
            InputError: when the spool is damaged.
        """
        return self._inflated(self._part(0, tile, plane), self.form.dtype, tile)

    def map_bytes(self, number: int, tile: Window, plane: int) -> bytes:
        """A tile of a map as it is stored: of label ``number``, or of the entropy for K."""
        return self._part(1 + number, tile, plane)

    def map(self, number: int, tile: Window, plane: int) -> NDArray[np.float16]:
        """A tile (h, w) of a map: of label ``number``, or of the entropy for K."""
        return self._inflated(self.map_bytes(number, tile, plane), np.dtype(np.float16), tile)

    def statistics(self) -> LabelStatistics:
        """Of the whole scene."""
        return LabelStatistics.total(
            map(self.statistics_of, range(len(self.grid))), self.classes, self.form.channels
        )

    def statistics_of(self, index: int) -> LabelStatistics:
        """Of one block."""
        return LabelStatistics.from_bytes(self.spool.read(index, 0), self.classes)

    def by_plane(self) -> Iterator[LabelStatistics]:
        """Of each slice."""
        count = len(self.grid) // self.grid.planes
        for plane in range(self.grid.planes):
            indices = range(plane * count, (plane + 1) * count)
            yield LabelStatistics.total(
                map(self.statistics_of, indices), self.classes, self.form.channels
            )

    def _part(self, number: int, tile: Window, plane: int) -> bytes:
        index, place = self.grid.place(tile, plane)
        tiles = len(self.grid.tiles(self.grid[index][1]))
        return self.spool.read(index, 1 + number * tiles + place)

    def _inflated(self, data: bytes, dtype: np.dtype[Any], tile: Window) -> NDArray[Any]:
        height, width = tile.size
        try:
            return inflated(data, dtype)[:height, :width]
        except ValueError as error:
            raise InputError(
                f"{self.spool.path} is damaged: remove its folder and start again"
            ) from error
