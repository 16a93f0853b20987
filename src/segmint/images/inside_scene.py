"""Scenes that only count inside a region, so that anything may stand outside."""

from __future__ import annotations

import numpy as np

from segmint.images.checked_scene import CheckedScene, Mask, not_finite
from segmint.images.decoding import Pixels
from segmint.images.scene import Scene
from segmint.images.window import Window


class InsideScene(CheckedScene):
    """A scene whose pixels outside a region count as unreadable where they are NaN or infinite.

    Inside the region such values are refused, as without one.

    Args:
        scene: as it is stored.
        region: one channel of the scene's size; values other than 0 are inside.
        skip_bad: such values count as unreadable inside the region, too.
    """

    def __init__(self, scene: Scene, region: Scene, *, skip_bad: bool = False) -> None:
        self._scene, self._region = scene, region
        self.skip_bad = skip_bad
        self.source, self.depth, self.dtype = scene.source, scene.depth, scene.dtype
        self.height, self.width, self.channels = scene.height, scene.width, scene.channels
        self.block, self.channel_names = scene.block, scene.channel_names
        self.spacing, self.notes = scene.spacing, scene.notes

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        pixels, bad = self._scene.unchecked(window, plane)
        broken = not_finite(pixels)
        if broken is None:
            return pixels, bad
        broken &= self._region.read(window, plane)[..., 0] == 0
        bad = broken if bad is None else bad | broken
        return np.where(bad[..., np.newaxis], pixels.dtype.type(0), pixels), bad


def looked_at(scene: Scene, region: Scene | None, *, skip_bad: bool = False) -> Scene:
    """The scene as it counts inside a region, where that makes a difference.

    Args:
        scene: as it is stored.
        region: as for :class:`InsideScene`; None is everywhere.
        skip_bad: as the scene was opened.
    """
    if region is None or scene.dtype.kind != "f":
        return scene
    return InsideScene(scene, region, skip_bad=skip_bad)
