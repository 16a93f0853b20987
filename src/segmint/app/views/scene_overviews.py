"""Small pictures of scenes with values as they are stored, standing upright."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.array_scene import ArrayScene
from segmint.images.image import Image
from segmint.images.scene import Scene
from segmint.images.scene_overview import overview
from segmint.images.viewing import upright

Array = NDArray[Any]


def overview_of(scene: Scene, longest: int, plane: int = 0) -> Array:
    """A slice as small as is asked for, its values of the type of the scene.

    Args:
        scene: which.
        longest: pixels of the longer side at most.
        plane: of a stack the slice.

    Returns:
        (h, w, C), as the file has its axes.

    Raises:
        InputError: for a damaged block.
    """
    pixels: Array = overview(scene, longest, plane)
    if scene.dtype.kind in "ui":
        limits = np.iinfo(scene.dtype)
        return np.clip(np.rint(pixels), limits.min, limits.max).astype(scene.dtype)
    return pixels


def upright_plane(scene: Scene, pixels: Array) -> Array:
    """Pixels (h, w, C) of a slice for the eye: upright, and of sequences the first."""
    shown = pixels[..., :1] if scene.channel_names else pixels
    return upright(_image(scene, shown))[0].pixels


def turning(scene: Scene) -> Callable[[Array], Array]:
    """What makes an array (h, w) of a slice stand upright."""
    return upright(_image(scene, np.zeros((1, 1, 1))))[1]


def upright_scene_size(scene: Scene) -> tuple[int, int]:
    """Height and width of a slice as it stands upright."""
    height, width = turning(scene)(np.broadcast_to(np.uint8(0), scene.size)).shape
    return height, width


def _image(scene: Scene, pixels: Array) -> Image:
    """A slice with the directions that its file tells."""
    affine = scene.image.affine if isinstance(scene, ArrayScene) else None
    return Image(pixels=pixels, affine=getattr(scene, "affine", affine))
