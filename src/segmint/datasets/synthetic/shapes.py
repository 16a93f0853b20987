"""A made-up picture whose segments are known exactly: textured, noisy shapes of different sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import UsageError

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

LARGEST_RADIUS, SMALLEST_RADIUS = 0.30, 0.05
"""Radii of the shapes, as shares of the picture's shorter side."""

PLACES_TRIED = 50
"""Random places for a shape, of which the one that hides least of the others is taken."""

_ILLUMINATION = 0.15
_TEXTURE_STRENGTH = 22.0


def draw_shapes(
    height: int = 240, width: int = 320, *, shapes: int = 12, noise: float = 12.0, seed: int = 0
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Ellipses and boxes on a ground, each with a color and a texture of its own.

    Light falls unevenly over the picture and every pixel has noise, so that neither a threshold
    nor the color alone finds the shapes.

    Args:
        height: rows, 16 or more.
        width: columns, 16 or more.
        shapes: how many, from large to small; later ones lie on top.
        noise: standard deviation of the noise of each pixel, of 255.
        seed: the same seed gives the same picture.

    Returns:
        The image, uint8 RGB (H, W, 3), and its mask, int32 (H, W): 0 on the ground and 1, 2, ...
        on the shapes.

    Raises:
        UsageError: for a picture that is too small, too many shapes or negative noise.

    Example:
        >>> image, mask = draw_shapes(60, 80, shapes=3)
        >>> image.shape, np.unique(mask).tolist()
        ((60, 80, 3), [0, 1, 2, 3])
    """
    _check(height, width, shapes, noise)
    generator = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.int32)
    for number, radius in enumerate(_radii(height, width, shapes), start=1):
        mask[_place(mask, radius, generator)] = number
    image = np.empty((height, width, 3))
    for number in range(shapes + 1):
        inside = mask == number
        image[inside] = _surface(height, width, generator)[inside]
    image *= _illumination(height, width, generator)[..., np.newaxis]
    image += generator.normal(0, noise, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), mask


def _check(height: int, width: int, shapes: int, noise: float) -> None:
    if min(height, width) < 16:
        raise UsageError(f"picture is {height}x{width}, accepted is 16x16 pixels or more")
    if not 0 <= shapes <= 100:
        raise UsageError(f"shapes is {shapes}, accepted is 0 to 100")
    if noise < 0:
        raise UsageError(f"noise is {noise}, accepted is 0 or more")


def _radii(height: int, width: int, shapes: int) -> Floats:
    """From large to small at equal ratios."""
    return np.geomspace(LARGEST_RADIUS, SMALLEST_RADIUS, shapes) * min(height, width)


def _place(mask: npt.NDArray[Any], radius: float, generator: np.random.Generator) -> Booleans:
    """A new shape where it hides least of those that are there."""
    candidates = [_shape(mask.shape, radius, generator) for _ in range(PLACES_TRIED)]
    return min(candidates, key=lambda inside: int((mask[inside] > 0).sum()))


def _shape(shape: tuple[int, ...], radius: float, generator: np.random.Generator) -> Booleans:
    """An ellipse or a box, turned, at a random place inside the picture."""
    center = generator.uniform(0.1, 0.9, 2) * shape
    angle = generator.uniform(0, np.pi)
    flatness = generator.uniform(0.6, 1.0)
    box = generator.random() < 0.5
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    along = (rows - center[0]) * np.cos(angle) + (columns - center[1]) * np.sin(angle)
    across = (columns - center[1]) * np.cos(angle) - (rows - center[0]) * np.sin(angle)
    across = across / flatness
    distance = np.maximum(abs(along), abs(across)) if box else np.hypot(along, across)
    # A box of this half-width has the area of the ellipse.
    inside: Booleans = distance <= (radius * np.sqrt(np.pi) / 2 if box else radius)
    inside[int(center[0]), int(center[1])] = True
    return inside


def _surface(height: int, width: int, generator: np.random.Generator) -> Floats:
    """A color (3,) under a texture, float (H, W, 3)."""
    color = generator.uniform(45, 210, 3)
    textures = (_plain, _stripes, _blotches)
    texture = textures[generator.integers(len(textures))](height, width, generator)
    return np.asarray(color + _TEXTURE_STRENGTH * texture[..., np.newaxis])


def _plain(height: int, width: int, generator: np.random.Generator) -> Floats:
    return np.zeros((height, width))


def _stripes(height: int, width: int, generator: np.random.Generator) -> Floats:
    angle, wavelength = generator.uniform(0, np.pi), generator.uniform(5, 12)
    rows, columns = np.ogrid[:height, :width]
    waves = np.sin(2 * np.pi * (rows * np.cos(angle) + columns * np.sin(angle)) / wavelength)
    return np.asarray(waves, np.float64)


def _blotches(height: int, width: int, generator: np.random.Generator) -> Floats:
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(generator.normal(size=(height, width)), generator.uniform(1.5, 3))
    return np.asarray(smooth / smooth.std())


def _illumination(height: int, width: int, generator: np.random.Generator) -> Floats:
    """Light that falls off along a random direction, around 1."""
    angle = generator.uniform(0, 2 * np.pi)
    rows, columns = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    slope = rows[:, np.newaxis] * np.cos(angle) + columns * np.sin(angle)
    return np.asarray(1 + _ILLUMINATION * slope)
