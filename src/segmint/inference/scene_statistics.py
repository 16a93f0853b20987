"""Mean and deviation of a whole scene, in one pass over it."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.channel_statistics import mean_and_deviation
from segmint.errors import InputError
from segmint.images.image import check_finite
from segmint.images.scene import Scene
from segmint.images.window import Window, blocks

_PIXELS_AT_ONCE = 2**20

Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]

_known: WeakKeyDictionary[Scene, dict[Any, Statistics]] = WeakKeyDictionary()


def scene_statistics(scene: Scene, plane: int = 0, *, seen: Scene | None = None) -> Statistics:
    """Mean and standard deviation (C,) of each channel over all readable pixels.

    Args:
        scene: for which the numbers are kept while it exists.
        plane: of a stack the slice.
        seen: the same scene at another size, whose pixels count instead.

    Raises:
        InputError: when a pixel is not finite, or none can be read.
    """
    seen = scene if seen is None else seen
    known = _known.setdefault(scene, {})
    key = plane, seen.size
    if key not in known:
        known[key] = _measured(seen, plane)
    return known[key]


def _measured(scene: Scene, plane: int) -> Statistics:
    count = 0
    means = squares = np.zeros(scene.channels)
    for window in blocks(scene.height, scene.width, _block(scene)):
        pixels = _readable(scene, window, plane)
        number = pixels.shape[0] * pixels.shape[1]
        if number == 0:
            continue
        mean, deviation = mean_and_deviation(pixels)
        # Chan, Golub and LeVeque (1979): no large sums that cancel.
        total = count + number
        difference = mean - means
        squares = squares + number * (deviation**2 + difference**2 * (count / total))
        means = means + difference * (number / total)
        count = total
    if count == 0:
        raise InputError(
            f"{scene.source or 'image'} has no readable pixel to measure its mean on: repair it"
        )
    return means, np.sqrt(squares / count)


def _readable(scene: Scene, window: Window, plane: int) -> NDArray[Any]:
    pixels = scene.read(window, plane)
    check_finite(pixels, advice="clean or remove it")
    unreadable = scene.unreadable(window, plane)
    return pixels if unreadable is None else pixels[~unreadable][np.newaxis]


def _block(scene: Scene) -> tuple[int, int]:
    """Rows and columns of whole stored blocks, about as many pixels as are looked at together."""
    rows, columns = (
        max(1, min(side, most)) for side, most in zip(scene.block, scene.size, strict=True)
    )
    across = max(1, min(-(-scene.width // columns), _PIXELS_AT_ONCE // (rows * columns)))
    down = max(1, _PIXELS_AT_ONCE // (rows * columns * across))
    return rows * down, columns * across
