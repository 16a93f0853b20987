from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.images import Image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import blocks
from segmint.inference.block_grid import BlockGrid

sides = st.integers(1, 3000)


@given(height=sides, width=sides, rows=st.integers(1, 3), columns=st.integers(1, 3))
def test_every_tile_lies_in_its_block(height: int, width: int, rows: int, columns: int) -> None:
    grid = BlockGrid(height=height, width=width, planes=2, block=(rows * 512, columns * 512))
    assert [window for plane, window in grid if plane == 1] == list(
        blocks(height, width, grid.block)
    )
    for plane in range(2):
        for tile in blocks(height, width, (512, 512)):
            index, number = grid.place(tile, plane)
            found, window = grid[index]
            assert found == plane
            assert grid.tiles(window)[number] == tile.inside(window)


@pytest.mark.parametrize(
    ("size", "wanted", "block"),
    [
        ((1100, 1537), (600, 1030), (512, 1024)),  # a side stands for memory: not larger
        ((1100, 1537), (100, 100), (512, 512)),
        ((1100, 1537), (1100, 4000), (1536, 2048)),  # what covers the scene goes on doing so
    ],
)
def test_blocks_are_of_whole_tiles(
    size: tuple[int, int], wanted: tuple[int, int], block: tuple[int, int]
) -> None:
    scene = ArrayScene(Image.from_array(np.zeros(size, np.uint8)))
    assert BlockGrid.of(scene, wanted).block == block
