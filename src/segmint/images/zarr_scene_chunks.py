"""Which parts of which chunks make up the windows of a plane."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segmint.images.decoding import Pixels
from segmint.images.scene_blocks import StoredBlock, grid_blocks
from segmint.images.window import Window
from segmint.images.zarr_scene_array import StoredChunks

Place = tuple[int, ...]


class ChunkParts:
    """The chunks of an array as the blocks of the planes of an image.

    Args:
        chunks: the array.
        axes: a letter an axis, Y and X among them.
        places: (D, C) flat index of each channel along the axes that are neither Y nor X.
    """

    def __init__(self, chunks: StoredChunks, axes: str, places: NDArray[np.int64]) -> None:
        self._chunks, self._axes = chunks, axes
        self._rows, self._columns = axes.index("Y"), axes.index("X")
        shape = tuple(1 if axis in "YX" else n for axis, n in zip(axes, chunks.shape, strict=True))
        self._places = np.stack(np.unravel_index(places, shape), axis=-1)  # (D, C, axes)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self._chunks.shape[self._rows], self._chunks.shape[self._columns]

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        return self._chunks.chunk[self._rows], self._chunks.chunk[self._columns]

    def blocks(self, window: Window, plane: int) -> list[StoredBlock]:
        """Parts of chunks that meet a window of a plane."""
        groups = list(self._groups(plane))
        found = []
        for row, column, place in grid_blocks(window, self.size, self.block):
            for numbers, channels in groups:
                chunk = list(numbers)
                chunk[self._rows], chunk[self._columns] = row, column
                found.append(
                    StoredBlock(
                        key=tuple(chunk),
                        window=place,
                        plane=plane,
                        channels=channels,
                        count=self._chunks.chunk_bytes,
                    )
                )
        return found

    def decode(self, block: StoredBlock) -> Pixels:
        """The whole chunk."""
        return self._chunks.read(block.key)

    def part(self, stored: Pixels, block: StoredBlock) -> Pixels:
        """Rows, columns and channels of a plane out of a chunk."""
        inside = self._places[block.plane, block.channels] % self._chunks.chunk
        moving = np.flatnonzero((inside != inside[0]).any(axis=0)).tolist()
        if not moving:
            return self._cut(stored, inside[0].tolist(), None)
        run = inside[:, moving[0]]
        if len(moving) == 1 and np.array_equal(run, np.arange(run[0], run[0] + len(run))):
            return self._cut(stored, inside[0].tolist(), moving[0], len(run))
        cuts = [self._cut(stored, place, None) for place in inside.tolist()]
        return np.concatenate(cuts, axis=-1)

    def name(self, block: StoredBlock) -> str:
        """Numbers along the axes of the array."""
        return f"chunk {'.'.join(map(str, block.key))}"

    def _cut(self, stored: Pixels, place: list[int], moving: int | None, count: int = 1) -> Pixels:
        """(rows, columns, n) of a chunk at a place, n along one of its axes."""
        index: list[int | slice] = list(place)
        index[self._rows] = index[self._columns] = slice(None)
        kept = [self._rows, self._columns]
        if moving is not None:
            index[moving] = slice(place[moving], place[moving] + count)
            kept.append(moving)
        cut = stored[tuple(index)].transpose([sorted(kept).index(axis) for axis in kept])
        return cut if moving is not None else cut[..., np.newaxis]

    def _groups(self, plane: int) -> Iterator[tuple[Place, slice]]:
        """Chunks along axes other than Y and X, and the channels of a plane that lie in each."""
        numbers = (self._places[plane] // self._chunks.chunk).tolist()
        start = 0
        for chunk, members in itertools.groupby(map(tuple, numbers)):
            stop = start + sum(1 for _ in members)
            yield chunk, slice(start, stop)
            start = stop
