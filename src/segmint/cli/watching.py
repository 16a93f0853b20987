"""Watching a segmentation as it evolves: a window, an animation, or both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.cli.console import say
from segmint.images import Image, display_rgb
from segmint.images.film import Film
from segmint.methods.method import Observer

FILM = "progress.gif"


class Watch:
    """What is seen of a segmentation as it evolves.

    Args:
        image: what is segmented; a stack is not watched.
        show: open a window; without a display the animation is written in its place.
        frames: write the animation.
    """

    def __init__(self, image: Image, *, show: bool, frames: bool) -> None:
        self._film: Film | None = None
        self._window: Callable[[int, NDArray[np.uint8]], None] | None = None
        if not (show or frames):
            return
        if image.is_stack:
            say("--frames and --show watch one image, not a stack: --pages first takes one slice")
            return
        self._window = _open_window() if show else None
        if show and self._window is None:
            say(f"no display for --show: the frames go to {FILM} instead")
            frames = True
        self._writes = frames
        self._film = Film(display_rgb(image.pixels))

    @property
    def observer(self) -> Observer | None:
        """To be called by a method, or None when nobody watches."""
        return None if self._film is None else self._observe

    def files(self) -> dict[str, bytes]:
        """The animation, for the folder of the result; nothing unless it was asked for."""
        if self._film is None:
            return {}
        if not self._film.frames:
            say(
                f"this method has no steps to watch, so there is no {FILM}: clustering, deepg and "
                "deepsvg have"
            )
            return {}
        return {FILM: self._film.encode()} if self._writes else {}

    def _observe(self, iteration: int, labels: NDArray[np.int32]) -> None:
        assert self._film is not None
        if self._window is None and not self._film.wants(iteration):
            return
        frame = self._film.draw(labels)
        self._film.add(iteration, frame)
        if self._window is not None:
            self._window(iteration, frame)


def _open_window() -> Callable[[int, NDArray[np.uint8]], None] | None:
    """A function that draws a frame into a window, or None without a display."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return None
    try:
        from tkinter import TclError
    except ImportError:
        return None
    try:
        from matplotlib import pyplot

        pyplot.switch_backend("TkAgg")
        figure, axes = pyplot.subplots(num="segmint", clear=True)
    except (ImportError, RuntimeError, TclError):
        return None
    axes.set_axis_off()
    drawn: list[Any] = []

    def draw(iteration: int, frame: NDArray[np.uint8]) -> None:
        if not pyplot.fignum_exists(figure.number):
            return  # the user closed the window; the segmentation goes on
        if drawn:
            drawn[0].set_data(frame)
        else:
            drawn.append(axes.imshow(frame))
        axes.set_title(f"iteration {iteration}")
        figure.canvas.draw_idle()
        figure.canvas.flush_events()
        pyplot.pause(0.001)

    return draw
