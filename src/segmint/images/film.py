"""A segmentation as it evolves, frame by frame, as an animated GIF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images.overlays import Picture, draw_overlay
from segmint.runs import atomic_path

MOST_FRAMES = 60
"""Frames of a film; every second one is dropped when there are more."""

LONGEST_SIDE = 640
"""Frames are reduced to this many pixels."""

_FRAME_MILLISECONDS, _LAST_MILLISECONDS = 120, 2000


class Film:
    """Label maps of successive iterations drawn over their picture.

    Args:
        picture: uint8 RGB (H, W, 3), for example from ``display_rgb``.
        longest_side: frames are reduced to this many pixels.

    Example:
        >>> film = Film(np.zeros((4, 6, 3), np.uint8))
        >>> film.add(1, film.draw(np.array([[0, 1]])))
        >>> len(film.frames), film.frames[0].shape
        (1, (4, 6, 3))
    """

    def __init__(self, picture: Picture, *, longest_side: int = LONGEST_SIDE) -> None:
        self.frames: list[Picture] = []
        self._picture = _reduced(picture, longest_side)
        self._every = 1

    def wants(self, iteration: int) -> bool:
        """Whether the film keeps a frame of this iteration, counted from 1."""
        return (iteration - 1) % self._every == 0

    def draw(self, labels: npt.NDArray[np.integer[Any]]) -> Picture:
        """A frame: labels (h, w) of any size, enlarged and drawn over the picture."""
        return draw_overlay(self._picture, _enlarged(labels, self._picture.shape), outline_width=0)

    def add(self, iteration: int, frame: Picture) -> None:
        """Keep a frame if the film wants it."""
        if not self.wants(iteration):
            return
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            self.frames = self.frames[::2]
            self._every *= 2

    def encode(self) -> bytes:
        """The frames as a GIF that repeats; there must be at least one."""
        from PIL import Image as Pillow

        pictures = [Pillow.fromarray(frame) for frame in self.frames]
        stream = io.BytesIO()
        pictures[0].save(
            stream,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=[_FRAME_MILLISECONDS] * (len(pictures) - 1) + [_LAST_MILLISECONDS],
            loop=0,
        )
        return stream.getvalue()

    def write(self, path: Path) -> None:
        """Write the GIF, whole or not at all.

        Raises:
            OutputError: when it cannot be written.
        """
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.encode())


def _reduced(picture: Picture, longest_side: int) -> Picture:
    step = -(-max(picture.shape[:2]) // longest_side)
    return np.ascontiguousarray(picture[::step, ::step])


def _enlarged(
    labels: npt.NDArray[np.integer[Any]], shape: tuple[int, ...]
) -> npt.NDArray[np.integer[Any]]:
    rows = np.arange(shape[0]) * labels.shape[0] // shape[0]
    columns = np.arange(shape[1]) * labels.shape[1] // shape[1]
    return labels[np.ix_(rows, columns)]
