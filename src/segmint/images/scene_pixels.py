"""The pixels of a scene that count: inside the region, readable, and finite."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.scene import Scene
from segmint.images.unit_range import UnitRange
from segmint.images.window import Window, blocks

PASS_PIXELS = 1 << 22
"""Pixels that are read together in a pass over all of a scene."""
_LONGEST_SIDE = 4096
"""Of a window of a pass, where stored blocks are larger than that."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScenePixels:
    """A scene with the region of it that is looked at."""

    scene: Scene
    region: Scene | None = None
    """Of the scene's size; values other than 0 are inside. None is everywhere."""

    def read(self, window: Window, plane: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Pixels (h, w, C) as stored and where they count (h, w), None if all do.

        Raises:
            InputError: for a damaged block, or values that count and are not finite.
        """
        pixels = self.scene.read(window, plane)
        counts = self._counting(window, plane)
        if pixels.dtype.kind == "f":
            broken = _broken(pixels, counts)
            if broken:
                raise _not_finite(self.scene, broken)
        return pixels, counts

    def inside(self, window: Window, plane: int = 0) -> NDArray[np.bool_]:
        """(h, w), where the region is; the pixels are not read."""
        if self.region is None:
            return np.ones(window.size, np.bool_)
        return np.asarray((self.region.read(window, plane) != 0).any(axis=-1))

    def windows(self, plane: int = 0) -> Iterator[tuple[Window, NDArray[Any], NDArray[np.bool_]]]:
        """All windows of a plane, in reading order: pixels as stored, and where they count.

        What is not finite is not looked for here, see :func:`examined`.
        """
        size = pass_size(self.scene)
        for window in blocks(self.scene.height, self.scene.width, size):
            pixels = self.scene.read(window, plane)
            counts = self._counting(window, plane)
            yield window, pixels, np.ones(window.size, np.bool_) if counts is None else counts

    def _counting(self, window: Window, plane: int) -> NDArray[np.bool_] | None:
        """Where the pixels of a window that was read count."""
        inside = None if self.region is None else self.inside(window, plane)
        unreadable = self.scene.unreadable(window, plane)
        if unreadable is None:
            return inside
        return ~unreadable if inside is None else inside & ~unreadable


def examined(pixels: ScenePixels) -> UnitRange:
    """How the values of a scene come to lie in 0..1, by one pass where the type does not say.

    The range is that of all pixels that can be read, also outside the region, as for an image.

    Raises:
        InputError: for values that count and are not finite; it says how many.
    """
    scene = pixels.scene
    if UnitRange.follows_from(scene.dtype):
        return UnitRange.of(np.empty(0, scene.dtype))
    found, broken = UnitRange(), 0
    for plane in range(scene.planes):
        for window, values, counts in pixels.windows(plane):
            unreadable = scene.unreadable(window, plane)
            found = found.joined(
                UnitRange.of(values if unreadable is None else values[~unreadable])
            )
            broken += _broken(values, counts)
    if broken:
        raise _not_finite(scene, broken)
    return found


def pass_size(scene: Scene) -> tuple[int, int]:
    """Height and width of windows of whole stored blocks that hold about a few million pixels."""
    rows, columns = (
        min(block, side, _LONGEST_SIDE) for block, side in zip(scene.block, scene.size, strict=True)
    )
    wanted = max(math.isqrt(PASS_PIXELS), 1)
    columns = min(columns * max(wanted // columns, 1), scene.width)
    rows = min(rows * max(PASS_PIXELS // (rows * columns), 1), scene.height)
    return rows, columns


def _broken(pixels: NDArray[Any], counts: NDArray[np.bool_] | None) -> int:
    """How many values count and are not finite."""
    if pixels.dtype.kind != "f":
        return 0
    broken = ~np.isfinite(pixels)
    if counts is not None:
        broken &= counts[..., np.newaxis]
    return int(np.count_nonzero(broken))


def _not_finite(scene: Scene, count: int) -> InputError:
    return InputError(
        f"{scene.source or 'image'} holds {count} values that are NaN or infinite, accepted are "
        "finite numbers: clean them or leave their pixels out with --region"
    )
