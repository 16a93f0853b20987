"""Made-up tissue under an electron microscope: cells parted by membranes, slice after slice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.synthetic.membrane_shapes import Floats, draw_cells_of_tissue, smooth_field
from segmint.errors import UsageError
from segmint.images.overlays import save_picture

SMALLEST_SIDE = 64
"""Pixels that hold a few cells."""

_GREY, _SHADES, _SHADES_DRAWN = 168.0, 9.0, 997
_MEMBRANE = 105.0
_FAINTEST = 0.35
_TEXTURE, _TEXTURE_PIXELS = 10.0, 1.6
_SPOT_PIXELS = 5.0
_SPOTS, _DARKEST_SPOT = 1.7, 75.0
_BLUR_PIXELS = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Membranes:
    """Slices of tissue and what is known of their pixels."""

    images: npt.NDArray[np.uint8]
    """(D, H, W) grey, membranes dark."""
    numbers: npt.NDArray[np.int32]
    """(D, H, W): 0 on membranes, 1, 2, ... in the cells; a cell keeps its number in all slices."""

    @property
    def labels(self) -> npt.NDArray[np.uint8]:
        """(D, H, W) as the ISBI 2012 challenge has them: 0 membrane, 255 the inside of a cell."""
        return np.where(self.numbers > 0, 255, 0).astype(np.uint8)


def draw_membranes(
    height: int = 256,
    width: int = 256,
    *,
    slices: int = 6,
    cell_size: float = 34.0,
    noise: float = 16.0,
    seed: int = 0,
) -> Membranes:
    """Cells that fill the picture, with dark membranes between them.

    Cells change a little from slice to slice. Membranes differ in width and fade in places, and
    cells hold dark spots, so that no threshold finds the membranes alone.

    Args:
        height: rows, 64 or more.
        width: columns, 64 or more.
        slices: 1 or more.
        cell_size: mean side of a cell in pixels, 12 or more.
        noise: standard deviation of the noise of each pixel, of 255.
        seed: the same seed gives the same slices, and the first ones of more.

    Raises:
        UsageError: for a value out of range.

    Example:
        >>> found = draw_membranes(64, 80, slices=2)
        >>> found.images.shape, np.unique(found.labels).tolist()
        ((2, 64, 80), [0, 255])
    """
    _check(height, width, slices, cell_size, noise)
    generator = np.random.default_rng(seed)
    shades = generator.normal(_GREY, _SHADES, _SHADES_DRAWN)
    images, numbers = [], []
    for cells, depth in draw_cells_of_tissue((height, width), slices, cell_size, generator):
        grey = _grey(shades[cells % _SHADES_DRAWN], depth, generator)
        pixels = grey + generator.normal(0, noise, grey.shape)
        images.append(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
        numbers.append(np.where(depth > 0, 0, cells).astype(np.int32))
    return Membranes(images=np.stack(images), numbers=np.stack(numbers))


def write_membranes(folder: str | Path, *, test: int = 0, **drawing: Any) -> Membranes:
    """Write slices of tissue in the layout of ISBI 2012.

    Args:
        folder: gets ``train/image/0.png``, ``train/label/0.png`` and so on.
        test: how many of the slices, the last ones, go to ``test/image`` without labels.
        drawing: arguments of :func:`draw_membranes`.

    Returns:
        What was drawn, the test slices included.

    Raises:
        UsageError: for a value out of range.
        OutputError: when a file cannot be written.
    """
    found = draw_membranes(**drawing)
    learned = len(found.images) - test
    if test < 0 or learned < 1:
        raise UsageError(
            f"test is {test} of {len(found.images)} slices, accepted is 0 to "
            f"{len(found.images) - 1}"
        )
    for index, (image, labels) in enumerate(zip(found.images, found.labels, strict=True)):
        if index < learned:
            save_picture(Path(folder) / "train/image" / f"{index}.png", image)
            save_picture(Path(folder) / "train/label" / f"{index}.png", labels)
        else:
            save_picture(Path(folder) / "test/image" / f"{index - learned}.png", image)
    return found


def _check(height: int, width: int, slices: int, cell_size: float, noise: float) -> None:
    if min(height, width) < SMALLEST_SIDE:
        raise UsageError(
            f"slice is {height}x{width}, accepted is {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels or more"
        )
    if slices < 1:
        raise UsageError(f"slices is {slices}, accepted is 1 or more")
    if not cell_size >= 12:
        raise UsageError(f"cell_size is {cell_size}, accepted is 12 pixels or more")
    if not noise >= 0:
        raise UsageError(f"noise is {noise}, accepted is 0 or more")


def _grey(shade: Floats, depth: Floats, generator: np.random.Generator) -> Floats:
    """Light that comes through (H, W), without noise.

    Args:
        shade: (H, W), of the cell of each pixel.
        depth: (H, W), how many pixels it lies inside a membrane.
        generator: of everything random.
    """
    from scipy.ndimage import gaussian_filter

    strength = np.clip(0.8 + 0.3 * smooth_field(depth.shape, 14, generator), _FAINTEST, 1)
    spots = np.clip(smooth_field(depth.shape, _SPOT_PIXELS, generator) - _SPOTS, 0, 1)
    grey = shade + _TEXTURE * smooth_field(depth.shape, _TEXTURE_PIXELS, generator)
    grey = grey - _MEMBRANE * strength * np.clip(depth, 0, 1) - _DARKEST_SPOT * np.sqrt(spots)
    return np.asarray(gaussian_filter(grey, _BLUR_PIXELS))
