"""Random movements, by name: what is drawn for each training picture, and how strong it is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from segmint.datasets.placement import AffineMap, Matrix, Placement, Window

Draw = Callable[[tuple[int, int], int, np.random.Generator], Placement]

ISBI_ROTATION = 0.2
"""Degrees, at most, either way. This and the next three are the settings with which the U-Net of
the membranes is commonly trained in Keras; its rotation and shear are in degrees, so both are tiny.
"""
ISBI_SHIFT = 0.05
"""Of height and width, at most, either way."""
ISBI_SHEAR = 0.05
"""Degrees, at most, either way."""
ISBI_ZOOM = 0.05
"""Of each side on its own, at most, either way."""

STRONG_SCALES = (0.5, 2.0)
"""Least and greatest; their logarithm is uniform."""
STRONG_ROTATION = 10.0
"""Degrees, at most, either way."""


def draw_placement(
    augmentation: str, shape: tuple[int, int], crop: int, rng: np.random.Generator
) -> Placement:
    """A random movement.

    Args:
        augmentation: ``none`` (the crop alone), ``flip``, ``isbi`` or ``strong``.
        shape: height and width of the source.
        crop: side of the output in pixels; 0 makes it as large as the source.
        rng: where all randomness comes from.
    """
    return _DRAWS[augmentation](shape, crop, rng)


def _none(shape: tuple[int, int], crop: int, rng: np.random.Generator) -> Window:
    """A crop at a random place; a source smaller than the crop lies at a random place in it."""
    return Window(shape=shape, corner=_corner(shape, crop, rng), side=crop)


def _flip(shape: tuple[int, int], crop: int, rng: np.random.Generator) -> Window:
    """The same, half of the time mirrored left to right."""
    corner = _corner(shape, crop, rng)
    return Window(shape=shape, corner=corner, side=crop, mirrored=_is_mirrored(rng))


def _isbi(shape: tuple[int, int], crop: int, rng: np.random.Generator) -> AffineMap:
    """Rotation, shifts, shear, zoom and mirror about the center, then a crop.

    The order is that of Keras' ``ImageDataGenerator``; beyond its border the source goes on with
    the pixels of its border, and the mask does, too.
    """
    top, left = _corner(shape, crop, rng)
    angle, shear = (math.radians(rng.uniform(-most, most)) for most in (ISBI_ROTATION, ISBI_SHEAR))
    shift = rng.uniform(-ISBI_SHIFT, ISBI_SHIFT, 2) * shape
    zoom = rng.uniform(1 - ISBI_ZOOM, 1 + ISBI_ZOOM, 2)
    turn = _rotation(angle)
    linear = turn @ [[1, -math.sin(shear)], [0, math.cos(shear)]] @ np.diag(zoom)
    center = (np.array(shape) - 1) / 2
    offset = center + turn @ shift - linear @ (center - (top, left))
    matrix = np.column_stack([linear, offset])
    size = (crop, crop) if crop else shape
    if _is_mirrored(rng):
        matrix = _mirrored(matrix, size[1] - 1)
    return AffineMap(shape=shape, size=size, matrix=matrix, repeats_border=True)


def _strong(shape: tuple[int, int], crop: int, rng: np.random.Generator) -> AffineMap:
    """Scale, rotation about the center of the output, and mirror; nothing is known beyond."""
    size = (crop, crop) if crop else shape
    least, greatest = STRONG_SCALES
    scale = math.exp(rng.uniform(math.log(least), math.log(greatest)))
    angle = math.radians(rng.uniform(-STRONG_ROTATION, STRONG_ROTATION))
    half = np.array(size) / scale / 2
    # A source smaller than the window lies inside it, a larger one has it inside.
    low, high = np.minimum(half, shape - half), np.maximum(half, shape - half)
    center = rng.uniform(low, high) - 0.5
    linear = _rotation(angle) / scale
    offset = center - linear @ ((np.array(size) - 1) / 2)
    matrix = np.column_stack([linear, offset])
    if _is_mirrored(rng):
        matrix = _mirrored(matrix, size[1] - 1)
    return AffineMap(shape=shape, size=size, matrix=matrix)


_DRAWS: dict[str, Draw] = {"none": _none, "flip": _flip, "isbi": _isbi, "strong": _strong}


def _corner(shape: tuple[int, int], crop: int, rng: np.random.Generator) -> tuple[int, int]:
    if crop == 0:
        return 0, 0
    rows, columns = (length - crop for length in shape)
    top, left = (int(rng.integers(min(0, room), max(0, room) + 1)) for room in (rows, columns))
    return top, left


def _is_mirrored(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def _rotation(angle: float) -> Matrix:
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _mirrored(matrix: Matrix, last: float) -> Matrix:
    """The matrix after column c of the output has become ``last - c``."""
    return np.column_stack([matrix[:, 0], -matrix[:, 1], matrix[:, 2] + last * matrix[:, 1]])
