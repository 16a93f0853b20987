"""One slice of a stack as a scene of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.scene import Scene
from segmint.images.window import Window


class SliceScene(Scene):
    """A slice of a stack, or the image itself, as one image.

    Args:
        scene: the stack.
        plane: which slice.
    """

    def __init__(self, scene: Scene, plane: int) -> None:
        self._scene, self._plane = scene, plane
        self.source, self.dtype, self.block = scene.source, scene.dtype, scene.block
        self.height, self.width, self.channels = scene.height, scene.width, scene.channels
        self.channel_names, self.notes = scene.channel_names, scene.notes

    def read(self, window: Window, plane: int = 0) -> NDArray[Any]:
        """Pixels (h, w, C); as :meth:`Scene.read`."""
        return self._scene.read(window, self._plane)

    def unreadable(self, window: Window, plane: int = 0) -> NDArray[np.bool_] | None:
        """(h, w); as :meth:`Scene.unreadable`."""
        return self._scene.unreadable(window, self._plane)
