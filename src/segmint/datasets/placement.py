"""Where each pixel of a training picture comes from, for image, mask and region alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.crops import Corner, take_crop
from segmint.datasets.resizing import working_type

Matrix = NDArray[np.float64]
"""(2, 3) from row, column, 1 of the output to row and column of the source."""


class Placement(Protocol):
    """A movement of a source of one size."""

    def image(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The moved image (h, w, C) of a source (H, W, C); anything where nothing is known."""
        ...

    def mask(self, mask: NDArray[Any]) -> NDArray[Any]:
        """The moved mask or region (h, w), of each pixel the nearest of the source (H, W)."""
        ...

    @property
    def inside(self) -> NDArray[np.bool_] | None:
        """(h, w) where the source is known; None when that is everywhere."""
        ...


@dataclass(frozen=True, kw_only=True)
class Window:
    """A square of whole pixels, mirrored or not; nothing is interpolated."""

    shape: tuple[int, int]
    """Height and width of the source."""
    corner: Corner
    """Row and column where it begins; negative where the source is smaller."""
    side: int
    """0 takes the whole source."""
    mirrored: bool = False
    """Left and right change places."""

    def image(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The window of an image."""
        return self._taken(pixels, 0)

    def mask(self, mask: NDArray[Any]) -> NDArray[Any]:
        """The window of a mask or region."""
        return self._taken(mask, 0)

    @property
    def inside(self) -> NDArray[np.bool_] | None:
        """Where the window does not reach beyond the source."""
        rooms = (
            0 <= start <= length - self.side
            for start, length in zip(self.corner, self.shape, strict=True)
        )
        if self.side == 0 or all(rooms):
            return None
        return self._taken(np.ones(self.shape, np.bool_), False)

    def _taken(self, array: NDArray[Any], fill: Any) -> NDArray[Any]:
        taken = take_crop(array, self.corner, self.side, fill) if self.side else array
        return taken[:, ::-1] if self.mirrored else taken


@dataclass(frozen=True, kw_only=True, eq=False)
class AffineMap:
    """Turned, sheared, scaled and moved at once, so that pixels are interpolated only once."""

    shape: tuple[int, int]
    """Height and width of the source."""
    size: tuple[int, int]
    """Height and width of the output."""
    matrix: Matrix
    repeats_border: bool = False
    """Beyond its border the source goes on with the pixels of its border, in the mask, too."""

    def image(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The moved image, interpolated linearly, as float; the border goes on beyond it."""
        import torch
        from torch.nn import functional

        starts, stops = self._reach()
        part = pixels[starts[0] : stops[0], starts[1] : stops[1]]
        wide = np.array(part.transpose(2, 0, 1), dtype=working_type(pixels.dtype), order="C")
        grid = np.empty((*self.size, 2), wide.dtype)
        for axis, place in enumerate(self._places):
            # From pixels to -1 (outer edge of the first) and 1 (outer edge of the last).
            length = stops[axis] - starts[axis]
            grid[..., 1 - axis] = (place - starts[axis]) * (2 / length) + (1 / length - 1)
        moved = functional.grid_sample(
            torch.from_numpy(wide)[np.newaxis],
            torch.from_numpy(grid)[np.newaxis],
            padding_mode="border",
            align_corners=False,
        )
        return np.ascontiguousarray(moved[0].permute(1, 2, 0).numpy())

    def mask(self, mask: NDArray[Any]) -> NDArray[Any]:
        """The moved mask or region; the border goes on beyond it."""
        return np.take(mask.reshape(-1), self._nearest)

    @cached_property
    def inside(self) -> NDArray[np.bool_] | None:
        """Where a place lies on a pixel of the source."""
        if self.repeats_border:
            return None
        insides = [
            (place >= -0.5) & (place <= length - 0.5)
            for place, length in zip(self._places, self.shape, strict=True)
        ]
        return None if all(each.all() for each in insides) else insides[0] & insides[1]

    @cached_property
    def _places(self) -> NDArray[np.float64]:
        """(2, h, w) row and column in the source."""
        rows, columns = (np.arange(length, dtype=np.float64) for length in self.size)
        places = np.empty((2, *self.size))
        for place, (of_row, of_column, start) in zip(places, self.matrix, strict=True):
            np.add.outer(of_row * rows, of_column * columns + start, out=place)
        return places

    @cached_property
    def _nearest(self) -> NDArray[np.intp]:
        """(h, w) number of the nearest pixel, in reading order."""
        rows, columns = (
            np.clip(np.rint(place), 0, length - 1).astype(np.intp)
            for place, length in zip(self._places, self.shape, strict=True)
        )
        return np.asarray(rows * self.shape[1] + columns)

    def _reach(self) -> tuple[list[int], list[int]]:
        """First and end of the rows and columns that are looked at, so that no more is widened."""
        bottom, right = self.size[0] - 1, self.size[1] - 1
        corners = np.array([[0, 0, bottom, bottom], [0, right, 0, right], [1, 1, 1, 1]])
        places = self.matrix @ corners
        starts, stops = [], []
        for place, length in zip(places, self.shape, strict=True):
            low, high = np.clip([np.floor(place.min()), np.ceil(place.max())], 0, length - 1)
            starts.append(int(low))
            stops.append(int(high) + 1)
        return starts, stops
