"""Scenes: images of any size, read window by window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.window import Window


class Scene(ABC):
    """An image, or a stack of them, that need not fit into memory.

    Values are those that :func:`segmint.images.read_image` gives of the same file, in the same
    order of channels; memory does not grow with the image, only with the window.
    """

    source: Path | None = None
    """The file or folder that the pixels come from."""
    height: int
    width: int
    channels: int
    depth: int | None = None
    """Slices of a stack; None for one image."""
    dtype: np.dtype[Any]
    """Of the values."""
    block: tuple[int, int]
    """Rows and columns that are stored together, so that windows of whole blocks cost least."""
    channel_names: tuple[str, ...] = ()
    """One a channel, where they have names."""
    spacing: tuple[float, ...] | None = None
    """Millimeters between pixels, (H, W) or (D, H, W)."""
    levels: tuple[Scene, ...] = ()
    """The same image at smaller sizes, where the file holds them; the largest first."""
    notes: tuple[str, ...] = ()
    """What was decided on opening, one sentence each."""

    @abstractmethod
    def read(self, window: Window, plane: int = 0) -> NDArray[Any]:
        """Pixels (h, w, C) of a window that lies inside the image.

        Args:
            window: which.
            plane: of a stack the slice.

        Raises:
            InputError: when a stored block is damaged, unless bad blocks are skipped; it names the
                block and its place.
        """

    def unreadable(self, window: Window, plane: int = 0) -> NDArray[np.bool_] | None:
        """(h, w), where pixels that were read are damaged and skipped; None where all are good.

        Their values are 0. It tells of what was read before: read first, then ask.
        """
        return None

    def unchecked(
        self, window: Window, plane: int = 0
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Pixels as by :meth:`read`, but also those that are not finite, and :meth:`unreadable`.

        Raises:
            InputError: when a stored block is damaged, unless bad blocks are skipped.
        """
        pixels = self.read(window, plane)
        return pixels, self.unreadable(window, plane)

    def close(self) -> None:  # noqa: B027 - a scene that holds no file has nothing to close
        """Let go of the file."""

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def planes(self) -> int:
        """Slices, 1 for one image."""
        return 1 if self.depth is None else self.depth

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels: (H, W), or (D, H, W) of a stack."""
        return self.size if self.depth is None else (self.depth, *self.size)
