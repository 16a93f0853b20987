"""Scenes that lie on their side in the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.decoding import Pixels, apply_orientation
from segmint.images.scene import Scene
from segmint.images.window import Window

# Whether stored rows run along upright columns, and whether stored rows and columns count from
# the far end, by EXIF and TIFF orientation.
_STORED: dict[int, tuple[bool, bool, bool]] = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


class OrientedScene(Scene):
    """A scene as the eye should see it; places in its errors are those of the file.

    Args:
        stored: as the file has it.
        orientation: 2 to 8, as EXIF counts.
    """

    def __init__(self, stored: Scene, orientation: int) -> None:
        self._scene, self._orientation = stored, orientation
        self.turned, self._far_rows, self._far_columns = _STORED[orientation]
        self.source, self.depth, self.dtype = stored.source, stored.depth, stored.dtype
        self.channels, self.channel_names = stored.channels, stored.channel_names
        self.height, self.width = stored.size[::-1] if self.turned else stored.size
        self.block = stored.block[::-1] if self.turned else stored.block
        self.notes = stored.notes

    def read(self, window: Window, plane: int = 0) -> NDArray[Any]:
        """Pixels (h, w, C); as :meth:`Scene.read`."""
        return self._upright(self._scene.read(self._place(window), plane))

    def unreadable(self, window: Window, plane: int = 0) -> NDArray[np.bool_] | None:
        """(h, w); as :meth:`Scene.unreadable`."""
        bad = self._scene.unreadable(self._place(window), plane)
        return None if bad is None else self._upright(bad[..., np.newaxis])[..., 0]

    def unchecked(
        self, window: Window, plane: int = 0
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """As :meth:`Scene.unchecked`."""
        pixels, bad = self._scene.unchecked(self._place(window), plane)
        upright = None if bad is None else self._upright(bad[..., np.newaxis])[..., 0]
        return self._upright(pixels), upright

    def close(self) -> None:
        """Let go of the file."""
        self._scene.close()

    def _upright(self, stored: Pixels) -> Pixels:
        return apply_orientation(stored, self._orientation)[0]

    def _place(self, window: Window) -> Window:
        rows, columns = (window.top, window.bottom), (window.left, window.right)
        if self.turned:
            rows, columns = columns, rows
        height, width = self._scene.size
        if self._far_rows:
            rows = height - rows[1], height - rows[0]
        if self._far_columns:
            columns = width - columns[1], width - columns[0]
        return Window(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])
