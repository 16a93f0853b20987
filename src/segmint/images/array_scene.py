"""Scenes of images that are in memory."""

from __future__ import annotations

from typing import Self

from numpy.typing import ArrayLike

from segmint.images.checked_scene import CheckedScene, Mask
from segmint.images.decoding import Pixels
from segmint.images.image import Image
from segmint.images.window import Window

_LONGEST_BLOCK = 512


class ArrayScene(CheckedScene):
    """An image in memory, read window by window without a copy.

    Args:
        image: which.
        skip_bad: NaN and infinite values count as unreadable, rather than as an error.

    Example:
        >>> import numpy as np
        >>> scene = ArrayScene.of_array(np.arange(12).reshape(3, 4))
        >>> scene.read(Window(top=1, bottom=3, left=0, right=2))[..., 0].tolist()
        [[4, 5], [8, 9]]
    """

    def __init__(self, image: Image, *, skip_bad: bool = False) -> None:
        self.image = image
        self.skip_bad = skip_bad
        self.source = image.source
        self.height, self.width, self.channels = image.height, image.width, image.channels
        self.depth = len(image.pixels) if image.is_stack else None
        self.dtype = image.pixels.dtype
        self.block = min(self.height, _LONGEST_BLOCK), min(self.width, _LONGEST_BLOCK)
        self.channel_names = image.channel_names
        self.spacing = image.spacing
        self.notes = image.notes

    @classmethod
    def of_array(cls, array: ArrayLike, *, stack: bool = False, skip_bad: bool = False) -> Self:
        """A scene of an array; arguments and errors are those of :meth:`Image.from_array`."""
        return cls(Image.from_array(array, stack=stack), skip_bad=skip_bad)

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        pixels = self.image.pixels[plane] if self.image.is_stack else self.image.pixels
        return pixels[window.slices], None
