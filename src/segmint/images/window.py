"""Rectangles of pixels within an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Window:
    """Rows ``top`` to below ``bottom`` and columns ``left`` to below ``right``.

    Example:
        >>> window = Window(top=2, bottom=5, left=0, right=4)
        >>> window.size, window.grown(1).within(5, 4)
        ((3, 4), Window(top=1, bottom=5, left=0, right=4))
    """

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def whole(cls, height: int, width: int) -> Window:
        """All pixels of an image."""
        return cls(top=0, bottom=height, left=0, right=width)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int) -> Window:
        """The window with a margin on all sides, which may reach out of the image."""
        return Window(
            top=self.top - margin,
            bottom=self.bottom + margin,
            left=self.left - margin,
            right=self.right + margin,
        )

    def within(self, height: int, width: int) -> Window:
        """The part that lies inside an image."""
        return Window(
            top=max(self.top, 0),
            bottom=min(self.bottom, height),
            left=max(self.left, 0),
            right=min(self.right, width),
        )

    def inside(self, outer: Window) -> Window:
        """The same pixels, counted from the corner of another window."""
        return Window(
            top=self.top - outer.top,
            bottom=self.bottom - outer.top,
            left=self.left - outer.left,
            right=self.right - outer.left,
        )


def blocks(height: int, width: int, block: tuple[int, int]) -> Iterator[Window]:
    """Windows of a size that cover an image in reading order; those at its end may be smaller.

    Example:
        >>> [window.size for window in blocks(5, 4, (3, 4))]
        [(3, 4), (2, 4)]
    """
    rows, columns = block
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield Window(
                top=top,
                bottom=min(top + rows, height),
                left=left,
                right=min(left + columns, width),
            )
