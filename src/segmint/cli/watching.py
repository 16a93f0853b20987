"""Watching a segmentation as it evolves: a window, an animation, or both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.cli.console import say
from segmint.images import Image, display_rgb, draw_overlay
from segmint.methods.method import Observer
from segmint.runs import atomic_path

MOST_FRAMES = 60
"""Frames of an animation; every second one is dropped when there are more."""
LONGEST_SIDE = 640
"""Frames are reduced to this many pixels."""


@contextmanager
def watcher(image: Image, folder: Path, *, show: bool, frames: bool) -> Iterator[Observer | None]:
    """An observer for a method, or None when nobody watches.

    Args:
        image: what is segmented; a stack is not watched.
        folder: where ``progress.gif`` goes.
        show: open a window; without a display the animation is written in its place.
        frames: write the animation.
    """
    window = _open_window() if show else None
    if show and window is None:
        say("no display for --show: the frames go to progress.gif instead")
        frames = True
    if image.is_stack or not (frames or window):
        yield None
        return
    picture = _reduced(display_rgb(image.pixels))
    film = _Film()

    def observe(iteration: int, labels: NDArray[np.int32]) -> None:
        if frames and not film.wants(iteration) and window is None:
            return
        frame = draw_overlay(picture, _enlarged(labels, picture.shape), outline_width=0)
        if frames:
            film.add(iteration, frame)
        if window is not None:
            window(iteration, frame)

    yield observe
    if frames and film.frames:
        film.write(folder / "progress.gif")


class _Film:
    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self._every = 1

    def wants(self, iteration: int) -> bool:
        return (iteration - 1) % self._every == 0

    def add(self, iteration: int, frame: NDArray[np.uint8]) -> None:
        if not self.wants(iteration):
            return
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            self.frames = self.frames[::2]
            self._every *= 2

    def write(self, path: Path) -> None:
        from PIL import Image as Pillow

        pictures = [Pillow.fromarray(frame) for frame in self.frames]
        with atomic_path(path) as temporary:
            pictures[0].save(
                temporary,
                save_all=True,
                append_images=pictures[1:],
                duration=[120] * (len(pictures) - 1) + [2000],
                loop=0,
            )


def _open_window() -> Callable[[int, NDArray[np.uint8]], None] | None:
    """A function that draws a frame into a window, or None without a display."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return None
    try:
        from matplotlib import pyplot

        pyplot.switch_backend("TkAgg")
        figure, axes = pyplot.subplots(num="segmint")
    except (ImportError, RuntimeError):
        return None
    axes.set_axis_off()
    drawn: list[Any] = []

    def draw(iteration: int, frame: NDArray[np.uint8]) -> None:
        if drawn:
            drawn[0].set_data(frame)
        else:
            drawn.append(axes.imshow(frame))
        axes.set_title(f"iteration {iteration}")
        figure.canvas.draw_idle()
        figure.canvas.flush_events()
        pyplot.pause(0.001)

    return draw


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    step = -(-max(picture.shape[:2]) // LONGEST_SIDE)
    return np.ascontiguousarray(picture[::step, ::step])


def _enlarged(labels: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    rows = np.arange(shape[0]) * labels.shape[0] // shape[0]
    columns = np.arange(shape[1]) * labels.shape[1] // shape[1]
    return labels[np.ix_(rows, columns)]
