"""Which part of an image a network must see so that it answers there as for the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from segmint.images.window import Window
from segmint.networks.reach import Reach


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """An image with the border that :func:`segmint.networks.padding.padded` gives it.

    Example:
        >>> canvas = Canvas.of((1000, 24), Reach(step=16, least=0, halo=32))
        >>> canvas.rows, canvas.columns, canvas.top, canvas.left
        (1008, 32, 4, 4)
        >>> canvas.seen(Window(top=100, bottom=110, left=0, right=5)).size
        (96, 32)
    """

    rows: int
    columns: int
    top: int
    """Rows of border above the image."""
    left: int
    """Columns of border to the left of it."""
    reach: Reach

    @classmethod
    def of(cls, size: tuple[int, int], reach: Reach) -> Self:
        """The canvas of an image of a size (H, W)."""
        (rows, top), (columns, left) = (_bordered(side, reach) for side in size)
        return cls(rows=rows, columns=columns, top=top, left=left, reach=reach)

    def place(self, window: Window) -> Window:
        """Where a window of the image lies on the canvas."""
        return window.inside(Window(top=-self.top, bottom=0, left=-self.left, right=0))

    def seen(self, window: Window) -> Window:
        """What of the canvas the network must see to answer a window of the image."""
        place = self.place(window)
        top, bottom = _seen(place.top, place.bottom, self.rows, self.reach)
        left, right = _seen(place.left, place.right, self.columns, self.reach)
        return Window(top=top, bottom=bottom, left=left, right=right)


def pieces(window: Window, most: int) -> Iterator[Window]:
    """As few windows as cover one, nearly equal and none with a side above ``most``.

    Example:
        >>> [piece.size for piece in pieces(Window.whole(10, 4), 4)]
        [(3, 4), (3, 4), (4, 4)]
    """
    for top, bottom in _parts(window.top, window.bottom, most):
        for left, right in _parts(window.left, window.right, most):
            yield Window(top=top, bottom=bottom, left=left, right=right)


def _parts(start: int, stop: int, most: int) -> Iterator[tuple[int, int]]:
    number = -(-(stop - start) // most)
    ends = [start + (stop - start) * index // number for index in range(number + 1)]
    return pairwise(ends)


def _bordered(size: int, reach: Reach) -> tuple[int, int]:
    """Length of an axis with its border, and how much of that comes first."""
    more = -max(size, reach.least) % reach.step + max(reach.least - size, 0)
    return size + more, more // 2


def _seen(start: int, stop: int, length: int, reach: Reach) -> tuple[int, int]:
    """Whole cells with the halo, as far as the canvas goes, and no less than the network takes."""
    if reach.halo is None:
        return 0, length
    step = reach.step
    first = max(0, start // step * step - reach.halo)
    end = min(length, -(-stop // step) * step + reach.halo)
    least = -(-reach.least // step) * step
    first = min(first, length - least)
    return first, max(end, first + least)
