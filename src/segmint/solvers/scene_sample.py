"""A sample of a scene to learn from: tiles spread evenly over it, chosen by the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels
from segmint.images.window import Window, blocks

STEP = 16
"""Sides of tiles are multiples of it, so that networks which halve need no border."""
VALUES_SIDE = 64
"""Height and width of the tiles that single pixels come from."""
_COUNTED_TILES = 16
"""Tiles along each axis whose region is read together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneSample:
    """Pixels of a scene as one image."""

    pixels: NDArray[Any]
    """(h, w, C), as stored."""
    counts: NDArray[np.bool_] | None
    """(h, w), where they count; None where all do."""
    said: str
    """What it is, to go on with "learned on"."""

    def inside(self) -> NDArray[Any]:
        """(n, C) values that count."""
        if self.counts is None:
            return self.pixels.reshape(-1, self.pixels.shape[-1])
        return np.asarray(self.pixels[self.counts])


def sampled_values(pixels: ScenePixels, most: int, seed: int) -> SceneSample:
    """At most about so many pixels that count, in one row.

    Args:
        pixels: of the scene.
        most: pixels; a scene that has no more is taken whole, in reading order.
        seed: of the choice.

    Returns:
        Pixels (1, n, C).

    Raises:
        InputError: when no pixel counts.
    """
    scene = pixels.scene
    if scene.planes * scene.height * scene.width <= most:
        places = [(plane, Window.whole(*scene.size)) for plane in range(scene.planes)]
        said = "all pixels"
    else:
        count = max(most // VALUES_SIDE**2, 1)
        places = chosen_tiles(pixels, (VALUES_SIDE, VALUES_SIDE), count, seed)
        said = _said(scene, places)
    found = []
    for plane, window in places:
        values, counts = pixels.read(window, plane)
        found.append(values.reshape(-1, scene.channels) if counts is None else values[counts])
    values = np.concatenate(found)
    check_any(scene, len(values))
    return SceneSample(pixels=values[np.newaxis], counts=None, said=said)


def mosaic(pixels: ScenePixels, *, most: int, tiles: int, seed: int) -> SceneSample:
    """Tiles of a scene at its own resolution, side by side.

    Args:
        pixels: of the scene.
        most: pixels of all tiles together; a single image that has no more is taken whole.
        tiles: how many, where there is room for them.
        seed: of the choice.

    Raises:
        InputError: when no pixel counts.
    """
    scene = pixels.scene
    if scene.planes == 1 and scene.height * scene.width <= most:
        values, counts = pixels.read(Window.whole(*scene.size))
        check_any(scene, 1 if counts is None else np.count_nonzero(counts))
        return SceneSample(pixels=values, counts=counts, said="all pixels")
    side = max(math.isqrt(most // tiles), 1)
    side = side // STEP * STEP or side
    size = min(side, scene.height), min(side, scene.width)
    places = chosen_tiles(pixels, size, tiles, seed)
    return _side_by_side(pixels, places, size)


def chosen_tiles(
    pixels: ScenePixels, size: tuple[int, int], count: int, seed: int
) -> list[tuple[int, Window]]:
    """Slices and windows of a size, spread evenly over what counts, at most so many.

    The tiles of a grid lie one after the other along a curve that keeps neighbors together. It is
    cut into so many parts of equally many pixels that count, and a pixel of each, drawn at random,
    says which tile is taken (Madow, "On the theory of systematic sampling", 1949, with a place
    drawn in each part).

    Raises:
        InputError: when no pixel counts.
    """
    scene = pixels.scene
    weights = np.stack([_weights(pixels, size, plane) for plane in range(scene.planes)])
    planes, rows, columns = weights.shape
    check_any(scene, int(weights.sum()))
    order = np.argsort(_curve(rows, columns), kind="stable")
    along = weights.reshape(planes, -1)[:, order].ravel()
    ends = np.cumsum(along)
    generator = np.random.default_rng(seed)
    places = (np.arange(count) + generator.random(count)) / count * ends[-1]
    chosen = np.unique(np.searchsorted(ends, places, side="right").clip(max=len(ends) - 1))
    tiles = []
    for index in chosen.tolist():
        plane, place = divmod(index, rows * columns)
        row, column = divmod(int(order[place]), columns)
        tiles.append((plane, _tile(scene, size, row, column)))
    return tiles


def _tile(scene: Scene, size: tuple[int, int], row: int, column: int) -> Window:
    """A tile of the grid; the last ones reach back so that all have the same size."""
    top = min(row * size[0], scene.height - size[0])
    left = min(column * size[1], scene.width - size[1])
    return Window(top=top, bottom=top + size[0], left=left, right=left + size[1])


def _weights(pixels: ScenePixels, size: tuple[int, int], plane: int) -> NDArray[np.int64]:
    """(rows, columns) how many pixels of each tile lie inside the region."""
    height, width = pixels.scene.size
    ends = [
        np.append(np.arange(0, side, step), side)
        for side, step in zip((height, width), size, strict=True)
    ]
    if pixels.region is None:
        return np.outer(*(np.diff(axis) for axis in ends))
    found = np.zeros((len(ends[0]) - 1, len(ends[1]) - 1), np.int64)
    for window in blocks(height, width, (size[0] * _COUNTED_TILES, size[1] * _COUNTED_TILES)):
        inside = pixels.inside(window, plane).astype(np.int64)
        for axis, step in enumerate(size):
            inside = np.add.reduceat(inside, np.arange(0, inside.shape[axis], step), axis=axis)
        row, column = window.top // size[0], window.left // size[1]
        found[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    return found


def _curve(rows: int, columns: int) -> NDArray[np.int64]:
    """(rows * columns,) place of each cell of a grid along a Z-order curve (Morton, 1966)."""
    row, column = (axis.ravel().astype(np.int64) for axis in np.indices((rows, columns)))
    place = np.zeros(rows * columns, np.int64)
    for bit in range(max(rows, columns).bit_length()):
        place |= (column >> bit & 1) << 2 * bit | (row >> bit & 1) << 2 * bit + 1
    return place


def _side_by_side(
    pixels: ScenePixels, places: list[tuple[int, Window]], size: tuple[int, int]
) -> SceneSample:
    """The tiles in rows that are about as long as the rows are many."""
    scene = pixels.scene
    columns = math.isqrt(len(places) - 1) + 1
    rows = -(-len(places) // columns)
    values = np.zeros((rows * size[0], columns * size[1], scene.channels), scene.dtype)
    counts = np.zeros(values.shape[:2], np.bool_)
    for index, (plane, window) in enumerate(places):
        row, column = divmod(index, columns)
        at = (
            slice(row * size[0], (row + 1) * size[0]),
            slice(column * size[1], (column + 1) * size[1]),
        )
        values[at], counting = pixels.read(window, plane)
        counts[at] = True if counting is None else counting
    check_any(scene, np.count_nonzero(counts))
    return SceneSample(
        pixels=values, counts=None if counts.all() else counts, said=_said(scene, places)
    )


def _said(scene: Scene, places: list[tuple[int, Window]]) -> str:
    height, width = places[0][1].size
    whole = scene.planes * scene.height * scene.width
    share = 100 * len(places) * height * width / whole
    what = "image" if scene.depth is None else "stack"
    number = "1 tile" if len(places) == 1 else f"{len(places)} tiles"
    return f"{number} of {width}x{height} pixels, {share:.2g} % of the {what}"


def check_any(scene: Scene, count: Any) -> None:
    """Refuse a sample of no pixel."""
    if not count:
        raise InputError(
            f"no pixel of {scene.source or 'the image'} counts, at least one is needed: the region "
            "is empty, or all that was looked at is damaged"
        )
