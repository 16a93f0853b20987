"""The blocks of a scene answered one after the other, each written while the next is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from segmint.images.window import Window
from segmint.inference.block_answers import BlockAnswers
from segmint.inference.block_store import BlockStore

_MOST_CHANGED = 1e-3
"""Share of pixels that may be answered otherwise by another process, where numbers are rounded."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockWork:
    """What answers the blocks of a scene, and where they are kept."""

    answers: BlockAnswers
    store: BlockStore
    progress: Callable[[int, int], None]

    def agrees(self) -> bool:
        """Whether the first block that was kept is answered now as it was then.

        Other weights, another fit or another processor show here, whatever the plan says.
        """
        index = next(
            (each for each in sorted(self.store.spool.done) if self._is_inside(each)), None
        )
        if index is None:
            return True
        labels, _, _ = self.answers.of(index)
        plane, window = self.store.grid[index]
        changed = 0
        for tile in self.store.grid.tiles(window):
            placed = _shifted(tile, window)
            kept = self.store.labels(placed, plane)
            changed += int(np.count_nonzero(labels[tile.slices] != kept))
        return changed <= _MOST_CHANGED * labels.size

    def missing(self) -> Sequence[int]:
        """Indices of the blocks that are not there."""
        done = self.store.spool.done
        return [index for index in range(len(self.store.grid)) if index not in done]

    def run(self) -> None:
        """Answer and keep all blocks that are not there.

        Raises:
            InputError: when a part of the scene cannot be read.
            OutputError: when a block cannot be written; those before it stay.
        """
        self.tell()
        with ThreadPoolExecutor(1, "segmint-blocks") as writer:
            writing: Future[None] | None = None
            for index in self.missing():
                block = self.answers.of(index)
                if writing is not None:
                    self._finish(writing)
                writing = writer.submit(self.store.keep, index, *block)
                if self.store.maps:  # which are so large that there is room for one block of them
                    self._finish(writing)
                    writing = None
                del block
            if writing is not None:
                self._finish(writing)

    def tell(self) -> None:
        """Say how many blocks are there."""
        self.progress(len(self.store.spool.done), len(self.store.grid))

    def _finish(self, writing: Future[None]) -> None:
        writing.result()
        self.tell()

    def _is_inside(self, index: int) -> bool:
        return bool(self.store.statistics_of(index).counts.any())


def _shifted(tile: Window, window: Window) -> Window:
    """A tile that is counted from the corner of a block, counted from that of the scene."""
    return Window(
        top=tile.top + window.top,
        bottom=tile.bottom + window.top,
        left=tile.left + window.left,
        right=tile.right + window.left,
    )
