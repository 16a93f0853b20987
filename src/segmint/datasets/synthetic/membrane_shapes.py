"""Where the cells of made-up tissue lie, and how far each pixel is inside a membrane."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DRIFT = 0.07
"""Steps of the cells' centers from slice to slice, in sides of a cell."""
_BEND, _BEND_PIXELS = 5.0, 18.0
"""How far membranes are bent, in pixels, and over how many."""
_HALF_WIDTH, _LEAST_HALF_WIDTH = 2.2, 1.2
"""Pixels from the middle of a membrane to its edge."""


def draw_cells_of_tissue(
    shape: tuple[int, int], slices: int, cell_size: float, generator: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.int32], Floats]]:
    """One slice after the other: the regions of centers that drift, bent smoothly.

    Args:
        shape: rows and columns.
        slices: how many.
        cell_size: mean side of a cell in pixels.
        generator: of everything random.

    Returns:
        Of each slice the number (H, W) of the cell that a pixel is in or nearest to, from 1, and
        how many pixels (H, W) it lies inside a membrane, 0 in cells.
    """
    centers = _centers(shape, cell_size, generator)
    bends = [smooth_field(shape, _BEND_PIXELS, generator) for _ in shape]
    for _ in range(slices):
        yield _slice(centers, bends, generator)
        centers = centers + generator.normal(0, _DRIFT * cell_size, centers.shape)
        bends = [0.9 * bend + 0.3 * smooth_field(shape, _BEND_PIXELS, generator) for bend in bends]


def smooth_field(shape: tuple[int, ...], pixels: float, generator: np.random.Generator) -> Floats:
    """Random, smooth over so many pixels, with mean 0 and deviation 1."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(generator.normal(size=shape), pixels)
    return np.asarray((field - field.mean()) / field.std())


def _centers(
    shape: tuple[int, int], cell_size: float, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """A shaken grid that reaches over the edges of the picture."""
    axes = [np.arange(-cell_size, side + 2 * cell_size, cell_size) for side in shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(grid + generator.uniform(-0.45, 0.45, grid.shape) * cell_size)


def _slice(
    centers: Floats, bends: list[Floats], generator: np.random.Generator
) -> tuple[npt.NDArray[np.int32], Floats]:
    from scipy.spatial import cKDTree

    places = np.moveaxis(np.indices(bends[0].shape) + _BEND * np.stack(bends), 0, -1)
    found = cKDTree(centers).query(places, k=2)
    distances, nearest = (np.asarray(each) for each in found)
    apart = np.linalg.norm(np.diff(centers[nearest], axis=-2)[..., 0, :], axis=-1)
    from_border = np.diff(distances**2)[..., 0] / (2 * apart)
    width = _HALF_WIDTH + 0.7 * smooth_field(from_border.shape, _BEND_PIXELS, generator)
    depth = np.maximum(width, _LEAST_HALF_WIDTH) - from_border
    return (nearest[..., 0] + 1).astype(np.int32), np.asarray(np.maximum(depth, 0))
