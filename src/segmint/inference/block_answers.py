"""The answer to one block of a scene: what does not count in it is outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.block_form import BlockForm
from segmint.inference.scene_answer import SceneAnswer

Block: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[np.float32] | None]
"""Labels as they are stored, pixels, and probabilities."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockAnswers:
    """What answers the blocks of a scene, in the process that opened it."""

    scene: Scene
    region: Scene | None
    answer: SceneAnswer
    form: BlockForm
    likeliest: bool = True
    """Whether labels are those of the greatest probability."""

    def of(self, index: int) -> Block:
        """The block of that index; it depends on no other.

        Raises:
            InputError: when a part of the scene cannot be read.
        """
        form = self.form
        plane, window = form.grid[index]
        outside = np.iinfo(form.dtype).max
        without = self._outside_region(window, plane)
        if without is not None and without.all():
            empty = np.zeros((form.classes, *window.size), np.float32) if form.maps else None
            pixels = np.broadcast_to(np.uint8(0), (*window.size, self.scene.channels))
            return np.full(window.size, outside, form.dtype), pixels, empty
        labels, probabilities = self._asked(window, plane)
        pixels = self.scene.read(window, plane)
        damaged = self.scene.unreadable(window, plane)
        labels = labels.astype(form.dtype)
        for mask in (without, damaged):
            if mask is not None:
                labels[mask] = outside
                probabilities = None if probabilities is None else np.where(mask, 0, probabilities)
        return labels, pixels, probabilities

    def _asked(self, window: Window, plane: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        if not self.form.maps:
            return self.answer.labels(self.scene, window, plane), None
        probabilities = self.answer.probabilities(self.scene, window, plane)
        if self.likeliest:
            return probabilities.argmax(axis=0), probabilities
        return self.answer.labels(self.scene, window, plane), probabilities

    def _outside_region(self, window: Window, plane: int) -> NDArray[np.bool_] | None:
        if self.region is None:
            return None
        return np.asarray(self.region.read(window, plane)[..., 0] == 0)
