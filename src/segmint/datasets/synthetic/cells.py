"""Made-up cells under a microscope, round and elongated, with a truth that is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.synthetic.cell_shapes import KINDS, Floats, draw_mask
from segmint.errors import UsageError
from segmint.images.labels import write_labels
from segmint.images.overlays import save_picture
from segmint.runs import write_text

CLASSES = ("background", *KINDS)
"""Of the masks that :func:`write_cells` writes."""

COLORS = ((0, 0, 0), (86, 180, 233), (230, 159, 0))
"""Of the classes: black, and two that color-blind readers tell apart (Okabe and Ito, 2008)."""

SMALLEST_SIDE = 64
"""Pixels that hold a few cells."""

_DARK, _DIMMEST, _BRIGHTEST = 18.0, 26.0, 150.0
_HAZE = 55.0
_HAZE_PIXELS = 22.0
_HALO_PIXELS = 9.0
_HALO = 0.22
_TEXTURE = 0.28
_BLUR_PIXELS = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """A picture of cells and what is known of its pixels."""

    image: npt.NDArray[np.uint8]
    """(H, W) grey."""
    numbers: npt.NDArray[np.int32]
    """(H, W): 0 in the background, 1, 2, ... on the cells."""
    kinds: npt.NDArray[np.uint8]
    """Class of each number: 0 of the background, 1 of a round cell, 2 of an elongated one."""

    @property
    def mask(self) -> npt.NDArray[np.uint8]:
        """(H, W) numbers of ``CLASSES``."""
        return np.asarray(self.kinds[self.numbers])


def draw_cells(
    height: int = 192, width: int = 192, *, cells: int = 30, noise: float = 9.0, seed: int = 0
) -> Cells:
    """Glowing cells on an uneven ground, some of which touch.

    Cells are round or elongated and differ in size, brightness and texture; the ground glows
    unevenly, bright cells have a halo, and every pixel has noise. So no threshold finds them all,
    and brightness says nothing about their kind.

    Args:
        height: rows, 64 or more.
        width: columns, 64 or more.
        cells: how many are tried, 0 to 1000; one that finds no free place is left out.
        noise: standard deviation of the noise of each pixel, of 255.
        seed: the same seed gives the same picture.

    Raises:
        UsageError: for a value out of range.

    Example:
        >>> found = draw_cells(64, 80, cells=6)
        >>> found.image.shape, sorted(set(found.mask.ravel().tolist()))
        ((64, 80), [0, 1, 2])
    """
    _check(height, width, cells, noise)
    generator = np.random.default_rng(seed)
    numbers, kinds = draw_mask((height, width), cells, generator)
    glow = _glow(numbers, len(kinds), generator)
    image = glow + generator.normal(0, noise, glow.shape)
    return Cells(
        image=np.clip(np.rint(image), 0, 255).astype(np.uint8), numbers=numbers, kinds=kinds
    )


def write_cells(
    folder: str | Path, *, train: int = 24, val: int = 8, seed: int = 0, **drawing: Any
) -> None:
    """Write pictures of cells as a data set of the layout ``folder``.

    Args:
        folder: gets ``train`` and ``val`` with ``images`` and ``masks`` in them, and
            ``classes.txt``.
        train: pictures to learn from.
        val: pictures to validate on.
        seed: decides each picture together with its split and number.
        drawing: ``height``, ``width``, ``cells`` and ``noise`` of :func:`draw_cells`.

    Raises:
        UsageError: for a value out of range.
        OutputError: when a file cannot be written.
    """
    root = Path(folder)
    for stream, (split, count) in enumerate((("train", train), ("val", val))):
        for number in range(count):
            found = draw_cells(seed=_seed_of(seed, stream, number), **drawing)
            name = f"cells-{number + 1:02}"
            save_picture(root / split / "images" / f"{name}.png", found.image)
            colors = np.array(COLORS, np.uint8)
            write_labels(root / split / "masks" / name, found.mask.astype(np.int32), colors=colors)
    lines = [
        f"{name} {' '.join(map(str, color))}" for name, color in zip(CLASSES, COLORS, strict=True)
    ]
    write_text(root / "classes.txt", "\n".join(lines) + "\n")


def _check(height: int, width: int, cells: int, noise: float) -> None:
    if min(height, width) < SMALLEST_SIDE:
        raise UsageError(
            f"picture is {height}x{width}, accepted is {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels or "
            "more"
        )
    if not 0 <= cells <= 1000:
        raise UsageError(f"cells is {cells}, accepted is 0 to 1000")
    if not noise >= 0:
        raise UsageError(f"noise is {noise}, accepted is 0 or more")


def _glow(numbers: npt.NDArray[np.int32], count: int, generator: np.random.Generator) -> Floats:
    """Light of the cells and of the ground, without noise."""
    from scipy.ndimage import gaussian_filter

    brightness = generator.uniform(np.sqrt(_DIMMEST), np.sqrt(_BRIGHTEST), count) ** 2
    brightness[0] = 0
    texture = 1 + _TEXTURE * _smooth_field(numbers.shape, 2.5, generator)
    cells = gaussian_filter(brightness[numbers] * texture, _BLUR_PIXELS)
    haze = _HAZE * np.maximum(0.5 + 0.5 * _smooth_field(numbers.shape, _HAZE_PIXELS, generator), 0)
    return np.asarray(_DARK + haze + cells + _HALO * gaussian_filter(cells, _HALO_PIXELS))


def _smooth_field(shape: tuple[int, ...], pixels: float, generator: np.random.Generator) -> Floats:
    """Random, smooth over so many pixels, with mean 0 and deviation 1."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(generator.normal(size=shape), pixels)
    return np.asarray((field - field.mean()) / field.std())


def _seed_of(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
