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
from segmint.images import Image, display_rgb
from segmint.images.film import Film
from segmint.methods.method import Observer


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
    film = Film(display_rgb(image.pixels))

    def observe(iteration: int, labels: NDArray[np.int32]) -> None:
        if frames and not film.wants(iteration) and window is None:
            return
        frame = film.draw(labels)
        if frames:
            film.add(iteration, frame)
        if window is not None:
            window(iteration, frame)

    yield observe
    if frames and film.frames:
        film.write(folder / "progress.gif")


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
