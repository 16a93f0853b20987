"""The blocks of a scene answered one after the other, each written while the next is answered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.block_store import BlockStore
from segmint.inference.scene_answer import SceneAnswer

_MOST_CHANGED = 1e-3
"""Share of pixels that may be answered otherwise by another process, where numbers are rounded."""

_Block = tuple[NDArray[Any], NDArray[Any], NDArray[np.float32] | None]
"""Labels as they are stored, pixels, and probabilities."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockWork:
    """What answers the blocks of a scene, and where they are kept."""

    scene: Scene
    region: Scene | None
    answer: SceneAnswer
    store: BlockStore
    progress: Callable[[int, int], None]
    likeliest: bool = True
    """Whether labels are those of the greatest probability."""

    def agrees(self) -> bool:
        """Whether the first block that was kept is answered now as it was then.

        Other weights, another fit or another processor show here, whatever the plan says.
        """
        index = next(
            (each for each in sorted(self.store.spool.done) if self._is_inside(each)), None
        )
        if index is None:
            return True
        labels, _, _ = self._answered(index)
        plane, window = self.store.grid[index]
        changed = 0
        for tile in self.store.grid.tiles(window):
            placed = _shifted(tile, window)
            kept = self.store.labels(placed, plane)
            changed += int(np.count_nonzero(labels[tile.slices] != kept))
        return changed <= _MOST_CHANGED * labels.size

    def run(self) -> None:
        """Answer and keep all blocks that are not there.

        Raises:
            InputError: when a part of the scene cannot be read.
            OutputError: when a block cannot be written; those before it stay.
        """
        done, total = len(self.store.spool.done), len(self.store.grid)
        self.progress(done, total)
        missing = [index for index in range(total) if index not in self.store.spool.done]
        with ThreadPoolExecutor(1, "segmint-blocks") as writer:
            writing: Future[None] | None = None
            for index in missing:
                block = self._answered(index)
                if writing is not None:
                    done = self._finished(writing, done)
                writing = writer.submit(self.store.keep, index, *block)
                if self.store.maps:  # which are so large that there is room for one block of them
                    done, writing = self._finished(writing, done), None
                del block
            if writing is not None:
                self._finished(writing, done)

    def _finished(self, writing: Future[None], done: int) -> int:
        writing.result()
        self.progress(done + 1, len(self.store.grid))
        return done + 1

    def _is_inside(self, index: int) -> bool:
        return bool(self.store.statistics_of(index).counts.any())

    def _answered(self, index: int) -> _Block:
        plane, window = self.store.grid[index]
        classes, size = self.store.classes, window.size
        outside = np.iinfo(self.store.dtype).max
        without = self._outside_region(window, plane)
        if without is not None and without.all():
            empty = np.zeros((classes, *size), np.float32) if self.store.maps else None
            pixels = np.broadcast_to(np.uint8(0), (*size, self.scene.channels))
            return np.full(size, outside, self.store.dtype), pixels, empty
        labels, probabilities = self._asked(window, plane)
        pixels = self.scene.read(window, plane)
        damaged = self.scene.unreadable(window, plane)
        labels = labels.astype(self.store.dtype)
        for mask in (without, damaged):
            if mask is not None:
                labels[mask] = outside
                probabilities = None if probabilities is None else np.where(mask, 0, probabilities)
        return labels, pixels, probabilities

    def _asked(self, window: Window, plane: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        if not self.store.maps:
            return self.answer.labels(self.scene, window, plane), None
        probabilities = self.answer.probabilities(self.scene, window, plane)
        if self.likeliest:
            return probabilities.argmax(axis=0), probabilities
        return self.answer.labels(self.scene, window, plane), probabilities

    def _outside_region(self, window: Window, plane: int) -> NDArray[np.bool_] | None:
        if self.region is None:
            return None
        return np.asarray(self.region.read(window, plane)[..., 0] == 0)


def _shifted(tile: Window, window: Window) -> Window:
    """A tile that is counted from the corner of a block, counted from that of the scene."""
    return Window(
        top=tile.top + window.top,
        bottom=tile.bottom + window.top,
        left=tile.left + window.left,
        right=tile.right + window.left,
    )
