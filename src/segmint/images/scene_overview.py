"""A small picture of a scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segmint.images.decoding import Pixels
from segmint.images.scene import Scene
from segmint.images.window import Window

_BAND_BYTES = 32 << 20
"""Of pixels that are read together."""


def overview(scene: Scene, longest: int, plane: int = 0) -> NDArray[np.float32]:
    """Means of square blocks of a plane, as small as is asked for, read in one pass.

    Where the file holds smaller copies of the image, the smallest that is large enough is read
    instead. Memory does not grow with the image.

    Args:
        scene: which.
        longest: pixels of the longer side at most, at least 1.
        plane: of a stack the slice.

    Returns:
        (h, w, C); 0 where no pixel of a block can be read. A scene that is no larger is returned
        as it is.

    Raises:
        InputError: for a damaged block, unless those are skipped.
    """
    factor = max(1, -(-max(scene.size) // longest))
    height, width = (-(-side // factor) for side in scene.size)
    source = _smallest(scene, height, width)
    rows = _edges(source.height, scene.height, height, factor)
    columns = _edges(source.width, scene.width, width, factor)
    picture = np.empty((height, width, scene.channels), np.float32)
    for top, bottom, left, right in _parts(source, rows, columns):
        window = Window(
            top=rows[top], bottom=rows[bottom], left=columns[left], right=columns[right]
        )
        starts = (
            np.array(rows[top:bottom]) - window.top,
            np.array(columns[left:right]) - window.left,
        )
        picture[top:bottom, left:right] = _means(source, window, plane, starts)
    return picture


def _smallest(scene: Scene, height: int, width: int) -> Scene:
    enough = [copy for copy in scene.levels if copy.height >= height and copy.width >= width]
    return min(enough, key=lambda copy: copy.height, default=scene)


def _edges(stored: int, full: int, count: int, factor: int) -> list[int]:
    """Where the pixels of the picture begin among stored ones, and where the last ends."""
    return [min(index * factor, full) * stored // full for index in range(count + 1)]


def _parts(
    source: Scene, rows: list[int], columns: list[int]
) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of rows and columns of the picture whose pixels are read together."""
    pixel = source.channels * max(source.dtype.itemsize, 4)
    step = max(1, rows[1])
    high = max(1, _least(source.block[0], rows[-1]) // step)
    wide = max(1, _BAND_BYTES // (pixel * high * step * max(1, columns[1])))
    for top in range(0, len(rows) - 1, high):
        bottom = min(top + high, len(rows) - 1)
        for left in range(0, len(columns) - 1, wide):
            yield top, bottom, left, min(left + wide, len(columns) - 1)


def _least(block: int, length: int) -> int:
    return min(length, max(block, 256))


def _means(
    source: Scene, window: Window, plane: int, starts: tuple[NDArray[np.int64], ...]
) -> NDArray[np.float32]:
    pixels = source.read(window, plane)
    bad = source.unreadable(window, plane)
    sums = _sums(pixels, starts)
    if bad is None:
        height, width = window.size
        counts = np.outer(np.diff(starts[0], append=height), np.diff(starts[1], append=width))
    else:
        counts = _sums(~bad[..., np.newaxis], starts)[..., 0]
    return np.asarray(sums / np.maximum(counts, 1)[..., np.newaxis], np.float32)


def _sums(pixels: Pixels, starts: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
    """Over the blocks that start at these rows and columns."""
    ends = np.append(starts[0][1:], len(pixels))
    rows = [
        pixels[start:end].sum(axis=0, dtype=_wide(pixels.dtype))
        for start, end in zip(starts[0], ends, strict=True)
    ]
    return np.add.reduceat(np.stack(rows), starts[1], axis=1, dtype=np.float64)


def _wide(dtype: np.dtype[np.generic]) -> type[np.generic]:
    """What the sum of some thousand values fits into."""
    return np.uint32 if dtype.kind in "ub" and dtype.itemsize <= 2 else np.float64
