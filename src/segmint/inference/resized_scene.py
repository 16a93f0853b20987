"""A scene at another size, of which windows are read as of any scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.resizing import working_type
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.resampling import Resampling, smoothed

_VALUES_AT_ONCE = 2**24
"""About so many values of the scene are held at a time."""


class ResizedScene(Scene):
    """What :func:`segmint.datasets.resizing.resized_image` makes of a scene, window by window.

    8-bit pixels are the same to the bit, others to rounding. A pixel that is made of unreadable
    ones has what was read there, which is 0.

    Args:
        scene: the scene.
        size: height and width of what is seen of it.
    """

    def __init__(self, scene: Scene, size: tuple[int, int]) -> None:
        self._scene = scene
        self.source, self.channels, self.depth = scene.source, scene.channels, scene.depth
        self.dtype, self.block = scene.dtype, scene.block
        self.channel_names, self.notes = scene.channel_names, scene.notes
        self.height, self.width = size
        is_short = scene.dtype == np.uint8
        self._kind = scene.dtype if is_short else np.dtype(working_type(scene.dtype))
        self._rows, self._columns = (
            None if old == new else smoothed(old, new, self._kind)
            for old, new in zip(scene.size, size, strict=True)
        )

    def read(self, window: Window, plane: int = 0) -> NDArray[Any]:
        """Pixels (h, w, C) of a window of the new image."""
        top, bottom = _needed(self._rows, window.top, window.bottom)
        parts = [
            np.concatenate(list(self._narrowed(top, bottom, start, stop, plane)))
            for start, stop in self._column_groups(window, bottom - top)
        ]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if self._rows is not None:
            found = self._rows.part(window.top, window.bottom)(found, 0)
        if self.dtype.kind in "iu" and found.dtype.kind == "f":
            np.rint(found, out=found)
        return found.astype(self.dtype, copy=False)

    def _column_groups(self, window: Window, rows: int) -> Iterator[tuple[int, int]]:
        """New columns whose old ones can be read together, some rows at a time."""
        rows = min(rows, self.block[0])
        scale = self._scene.width / self.width
        most = max(1, int(_VALUES_AT_ONCE / (rows * self.channels * max(scale, 1.0))))
        for start in range(window.left, window.right, most):
            yield start, min(start + most, window.right)

    def _narrowed(
        self, top: int, bottom: int, start: int, stop: int, plane: int
    ) -> Iterator[NDArray[Any]]:
        """Old rows with new columns, from the top down, each within the rows of a block."""
        left, right = _needed(self._columns, start, stop)
        step = max(1, self.block[0])
        for first in range(top // step * step, bottom, step):
            place = Window(
                top=max(first, top), bottom=min(first + step, bottom), left=left, right=right
            )
            pixels = self._scene.read(place, plane).astype(self._kind, copy=False)
            yield pixels if self._columns is None else self._columns.part(start, stop)(pixels, 1)


def _needed(resampling: Resampling | None, start: int, stop: int) -> tuple[int, int]:
    return (start, stop) if resampling is None else resampling.needed(start, stop)
