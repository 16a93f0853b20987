"""Ways to look at an image, whose answers are averaged: test-time augmentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import UsageError
from segmint.images.window import Window

_LEAST_SCALE, _MOST_SCALE = 0.1, 10.0


@dataclass(frozen=True, kw_only=True)
class View:
    """An image scaled, then with its axes swapped, then flipped."""

    scale: float = 1.0
    swaps: bool = False
    flips_rows: bool = False
    flips_columns: bool = False

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Size of an image after scaling alone, 1 or more pixels a side."""
        return max(1, round(height * self.scale)), max(1, round(width * self.scale))

    def turned(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Pixels (h, w, ...) as they are seen."""
        if self.swaps:
            pixels = np.swapaxes(pixels, 0, 1)
        return pixels[self._order]

    def turned_back(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Maps (K, h, w) of what is seen, where they lie in the image."""
        maps = maps[(slice(None), *self._order)]
        return np.swapaxes(maps, 1, 2) if self.swaps else maps

    def window(self, window: Window, height: int, width: int) -> Window:
        """Where a window of the scaled image, of that size, is seen."""
        rows, columns = (window.top, window.bottom), (window.left, window.right)
        if self.swaps:
            rows, columns, height, width = columns, rows, width, height
        return _flipped(self, rows, columns, height, width)

    def window_back(self, window: Window, height: int, width: int) -> Window:
        """Where in the scaled image, of that size, a window of what is seen lies."""
        if self.swaps:
            height, width = width, height
        place = _flipped(
            self, (window.top, window.bottom), (window.left, window.right), height, width
        )
        if not self.swaps:
            return place
        return Window(top=place.left, bottom=place.right, left=place.top, right=place.bottom)

    @property
    def _order(self) -> tuple[slice, slice]:
        return slice(None, None, -1 if self.flips_rows else 1), slice(
            None, None, -1 if self.flips_columns else 1
        )


@dataclass(frozen=True, kw_only=True)
class Views:
    """Which views answer; the image as it is always does.

    Flips and rotations together give all eight ways to lay a picture on a table, front or back;
    each scale is looked at in all of them.

    Example:
        >>> len(Views(flips=True, rotations=True, scales=(0.75, 1.5)))
        24
    """

    flips: bool = False
    """Left to right, upside down, and both."""
    rotations: bool = False
    """By quarters of a turn."""
    scales: tuple[float, ...] = ()
    """Factors of both sides besides 1, 0.1 to 10."""

    def __post_init__(self) -> None:
        for scale in self.scales:
            if not _LEAST_SCALE <= scale <= _MOST_SCALE:
                raise UsageError(
                    f"scale is {scale!r}, accepted is {_LEAST_SCALE} to {_MOST_SCALE:g}: give "
                    "factors such as 0.75 and 1.25"
                )

    def __iter__(self) -> Iterator[View]:
        scales = dict.fromkeys((1.0, *map(float, self.scales)))
        either = (False, True)
        for scale, swaps, rows, columns in product(scales, either, either, either):
            if self._holds(swaps, rows, columns):
                yield View(scale=scale, swaps=swaps, flips_rows=rows, flips_columns=columns)

    def _holds(self, swaps: bool, rows: bool, columns: bool) -> bool:
        # Both flips without a swap are half a turn, one flip with a swap is a quarter.
        is_turn = swaps == (rows != columns)
        is_plain = not (swaps or rows or columns)
        return (
            is_plain
            or (self.flips and self.rotations)
            or (self.flips and not swaps)
            or (self.rotations and is_turn)
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _flipped(
    view: View, rows: tuple[int, int], columns: tuple[int, int], height: int, width: int
) -> Window:
    """A window of an image of that size, flipped as the view flips."""
    if view.flips_rows:
        rows = height - rows[1], height - rows[0]
    if view.flips_columns:
        columns = width - columns[1], width - columns[0]
    return Window(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])
