"""What a network sees of a scene in one view, and where its answers lie in the scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.datasets.channel_statistics import full_value
from segmint.datasets.preprocessing import Preprocessing
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.member import Member
from segmint.inference.resampling import Resampling, between_centers
from segmint.inference.resized_scene import ResizedScene
from segmint.inference.scene_statistics import scene_statistics
from segmint.inference.tiles import Canvas
from segmint.inference.views import View

Maps = NDArray[np.float32]


class Sight:
    """A slice of a scene as a member sees it in a view.

    Args:
        scene: as it is.
        plane: of a stack the slice.
        member: whose preprocessing and reach decide size, values and border.
        view: how it looks.
    """

    def __init__(self, scene: Scene, plane: int, member: Member, view: View) -> None:
        own = member.preprocessing.size(*scene.size)
        self.size = view.scaled(*own)
        """Height and width before the view turns them."""
        self.scene = scene
        self.key = plane, view
        """What tells answers of one scene and one member apart."""
        is_resized = self.size != scene.size
        self._seen = ResizedScene(scene, self.size) if is_resized else scene
        self._plane, self._view = plane, view
        self._preprocessing = _with_statistics(member.preprocessing, scene, plane, own)
        height, width = self.size[::-1] if view.swaps else self.size
        self._turned = height, width
        self.canvas = Canvas.of((height, width), member.reach)
        self._back = self._way_back() if is_resized else None

    @property
    def is_reduced(self) -> bool:
        """Whether the network sees fewer pixels than the scene has."""
        return self.size[0] * self.size[1] < self.scene.height * self.scene.width

    def tensor(self, window: Window) -> Tensor:
        """What the network is given for a window of the canvas, (1, C, h, w) float32."""
        place = window.inside(Window(top=self.canvas.top, bottom=0, left=self.canvas.left, right=0))
        inside = place.within(*self._turned)
        stored = self._view.window_back(inside, *self.size)
        pixels = self._view.turned(self._seen.read(stored, self._plane))
        borders = (
            (inside.top - place.top, place.bottom - inside.bottom),
            (inside.left - place.left, place.right - inside.right),
            (0, 0),
        )
        if any(map(any, borders)):
            pixels = np.pad(pixels, borders, mode="edge")
        name = "" if self.scene.source is None else str(self.scene.source)
        image = self._preprocessing.tensor(pixels, name=name)
        return image.contiguous(memory_format=torch.channels_last)

    def place(self, window: Window) -> Window:
        """What of the turned image must be answered for a window of the scene."""
        if self._back is not None:
            rows, columns = self._back
            top, bottom = rows.needed(window.top, window.bottom)
            left, right = columns.needed(window.left, window.right)
            window = Window(top=top, bottom=bottom, left=left, right=right)
        return self._view.window(window, *self.size)

    def maps(self, answer: Maps, window: Window) -> Maps:
        """Maps (K, h, w) of a window of the scene, from the answer at its :meth:`place`."""
        answer = self._view.turned_back(answer)
        if self._back is None:
            return answer
        rows, columns = self._back
        narrow = columns.part(window.left, window.right)(answer, 2)
        return rows.part(window.top, window.bottom)(narrow, 1)

    def _way_back(self) -> tuple[Resampling, Resampling]:
        rows, columns = (
            between_centers(seen, native)
            for seen, native in zip(self.size, self.scene.size, strict=True)
        )
        return rows, columns


def _with_statistics(
    preprocessing: Preprocessing, scene: Scene, plane: int, size: tuple[int, int]
) -> Preprocessing:
    """What windows go through so that they become what they are in the whole image."""
    if preprocessing.normalization != "image" or scene.channels != preprocessing.channels:
        return replace(preprocessing, resize=0)
    seen = scene if size == scene.size else ResizedScene(scene, size)
    mean, deviation = scene_statistics(scene, plane, seen=seen)
    full = full_value(scene.dtype)
    return replace(
        preprocessing,
        resize=0,
        normalization="dataset",
        mean=tuple((mean / full).tolist()),
        deviation=tuple((np.where(deviation > 0, deviation, 1.0) / full).tolist()),
    )
