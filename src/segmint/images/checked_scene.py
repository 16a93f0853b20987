"""What all scenes share: windows lie inside, values are finite, skipped pixels are marked."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.decoding import Pixels
from segmint.images.scene import Scene
from segmint.images.window import Window

SKIP_ADVICE = "or leave its pixels out with --skip-bad"

Mask = NDArray[np.bool_]


class NotByWindowError(InputError):
    """A file that can only be decoded whole; its message says why, and what to do."""

    def __init__(self, message: str, *, pixels: int = 0) -> None:
        super().__init__(message)
        self.pixels = pixels
        """How many there are, four channels counted as one; 0 where that is not known."""


class CheckedScene(Scene):
    """A scene that reads what its file stores and refuses what cannot be used.

    ``read`` refuses NaN and infinite values in the window; with ``skip_bad`` they count as
    unreadable, like the pixels of damaged blocks.
    """

    skip_bad: bool = False
    _met_bad: bool = False

    def read(self, window: Window, plane: int = 0) -> NDArray[Any]:
        """Pixels (h, w, C) of a window that lies inside the image; do not write into them.

        Args:
            window: which.
            plane: of a stack the slice.

        Raises:
            InputError: when a stored block is damaged or a value is NaN or infinite, unless bad
                pixels are skipped; it names the place.
        """
        return self._pixels(window, plane)[0]

    def unreadable(self, window: Window, plane: int = 0) -> Mask | None:
        """(h, w), where pixels are damaged, NaN or infinite and were skipped; None if nowhere.

        Their values are 0. It tells of what was read before: read first, then ask.
        """
        return self._pixels(window, plane)[1] if self._met_bad else None

    def unchecked(self, window: Window, plane: int = 0) -> tuple[Pixels, Mask | None]:
        """Pixels as by :meth:`read`, but also those that are not finite, and :meth:`unreadable`.

        Raises:
            InputError: when a stored block is damaged, unless bad pixels are skipped.
        """
        _check_place(self, window, plane)
        return self._stored(window, plane)

    @abstractmethod
    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        """Pixels (h, w, C) as the file has them, and where they are missing."""

    def _pixels(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        pixels, bad = self.unchecked(window, plane)
        broken = not_finite(pixels)
        if broken is not None:
            if not self.skip_bad:
                raise self._refused(pixels, window, plane)
            bad = broken if bad is None else bad | broken
        if bad is None:
            return pixels, None
        self._met_bad = True
        return np.where(bad[..., np.newaxis], pixels.dtype.type(0), pixels), bad

    def _refused(self, pixels: Pixels, window: Window, plane: int) -> InputError:
        count = np.count_nonzero(~np.isfinite(pixels))
        slices = "" if self.depth is None else f" of slice {plane}"
        return InputError(
            f"{self.source or 'image'} holds {count} values that are NaN or infinite in "
            f"{place_of(window)}{slices}, accepted are finite numbers: clean them, "
            "or leave their pixels out with --skip-bad"
        )


def place_of(window: Window) -> str:
    """Where a window lies, for a message.

    Example:
        >>> place_of(Window(top=0, bottom=32, left=64, right=96))
        'rows 0 to 31, columns 64 to 95'
    """
    return f"rows {window.top} to {window.bottom - 1}, columns {window.left} to {window.right - 1}"


def is_copy(copy: Scene, scene: Scene) -> bool:
    """Whether a scene has the planes, channels and type of another, and is smaller."""
    same = (copy.depth, copy.channels, copy.dtype) == (scene.depth, scene.channels, scene.dtype)
    return same and copy.height < scene.height and copy.width < scene.width


def not_finite(pixels: Pixels) -> Mask | None:
    """(h, w), where a value of pixels (h, w, C) is NaN or infinite; None when all are finite."""
    if pixels.dtype.kind != "f":
        return None
    finite = np.isfinite(pixels)
    return None if finite.all() else np.asarray(~finite.all(axis=-1))


def _check_place(scene: Scene, window: Window, plane: int) -> None:
    inside = window.within(scene.height, scene.width) == window
    if not inside or min(window.size) < 1 or not 0 <= plane < scene.planes:
        raise ValueError(
            f"{window} of plane {plane} does not lie in {scene.planes} planes of "
            f"{scene.height} x {scene.width}"
        )
