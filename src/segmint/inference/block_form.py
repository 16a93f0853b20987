"""What a kept block of a scene is made of, the same wherever it was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.labels import stored_type
from segmint.images.maps import entropy_of
from segmint.images.tile_codec import deflated
from segmint.inference.block_grid import BlockGrid
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.spool import Parts


@dataclass(frozen=True, kw_only=True)
class BlockForm:
    """Which blocks a scene has and what is kept of each; plain data."""

    grid: BlockGrid
    classes: int
    """K."""
    channels: int
    """C of the scene."""
    maps: bool
    """Whether probabilities and their entropy are kept."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the labels, which have the greatest value outside the region."""
        return stored_type(self.classes - 1)

    def encoded(
        self,
        index: int,
        labels: NDArray[np.unsignedinteger[Any]],
        pixels: NDArray[Any],
        probabilities: NDArray[np.float32] | None,
    ) -> Parts:
        """Statistics, then labels, probabilities and entropy, compressed tile by tile.

        Args:
            index: of the block.
            labels: (h, w) of ``dtype``.
            pixels: (h, w, C).
            probabilities: (K, h, w), 0 outside the region; None where no maps are kept.
        """
        plane, window = self.grid[index]
        statistics = LabelStatistics.of(
            labels,
            pixels,
            classes=self.classes,
            window=window,
            width=self.grid.width,
            start=plane * self.grid.height * self.grid.width,
        )
        planes: list[NDArray[Any]] = [labels]
        if probabilities is not None:
            planes += [*probabilities, entropy_of(probabilities)]
        tiles = [
            deflated(each[tile.slices].astype(np.float16) if number else each[tile.slices])
            for number, each in enumerate(planes)
            for tile in self.grid.tiles(window)
        ]
        return [statistics.to_bytes(), *tiles]
