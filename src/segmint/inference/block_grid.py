"""The blocks that a scene is answered in, and the tiles within them that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from segmint.images.label_levels import TILE
from segmint.images.scene import Scene
from segmint.images.window import Window, blocks


@dataclass(frozen=True, kw_only=True)
class BlockGrid:
    """Blocks in reading order, plane after plane; each is made of whole tiles.

    Example:
        >>> grid = BlockGrid(height=1000, width=1500, planes=2, block=(512, 1024))
        >>> len(grid), grid[5]
        (8, (1, Window(top=0, bottom=512, left=1024, right=1500)))
        >>> grid.place(Window(top=512, bottom=1000, left=512, right=1024), plane=1)
        (6, 1)
    """

    height: int
    width: int
    planes: int
    block: tuple[int, int]
    """Rows and columns, multiples of ``TILE``."""

    @classmethod
    def of(cls, scene: Scene, block: tuple[int, int]) -> BlockGrid:
        """The grid of a scene, of blocks as near to a wanted size as whole tiles come.

        A side is rounded down, because it stands for memory, unless it covers the scene.
        """
        sides = tuple(
            -(-side // TILE) * TILE if want >= side else max(1, want // TILE) * TILE
            for want, side in zip(block, scene.size, strict=True)
        )
        return cls(
            height=scene.height,
            width=scene.width,
            planes=scene.planes,
            block=(sides[0], sides[1]),
        )

    def __len__(self) -> int:
        return self.planes * self._rows * self._columns

    def __getitem__(self, index: int) -> tuple[int, Window]:
        """The plane and the window of a block."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        line, column = divmod(index, self._columns)
        plane, row = divmod(line, self._rows)
        top, left = row * self.block[0], column * self.block[1]
        window = Window(top=top, bottom=top + self.block[0], left=left, right=left + self.block[1])
        return plane, window.within(self.height, self.width)

    def __iter__(self) -> Iterator[tuple[int, Window]]:
        return (self[index] for index in range(len(self)))

    def tiles(self, window: Window) -> list[Window]:
        """The tiles of a block, counted from its corner."""
        return list(blocks(*window.size, (TILE, TILE)))

    def place(self, tile: Window, plane: int) -> tuple[int, int]:
        """The block that a tile lies in, and its number among the tiles of the block."""
        row, column = tile.top // self.block[0], tile.left // self.block[1]
        index = (plane * self._rows + row) * self._columns + column
        corner = self[index][1]
        across = -(-(corner.right - corner.left) // TILE)
        down, along = (tile.top - corner.top) // TILE, (tile.left - corner.left) // TILE
        return index, down * across + along

    @property
    def _rows(self) -> int:
        return -(-self.height // self.block[0])

    @property
    def _columns(self) -> int:
        return -(-self.width // self.block[1])
