"""How often quicker arithmetic gives the labels of float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.scene_answer import SceneAnswer

SIDE = 256
"""Of the crop that is compared."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two answers to the same pixels."""

    pixels: int
    equal: float
    """Share of them with the same label."""
    difference: float
    """Largest, of probabilities."""

    def sentence(self, precision: str, name: str) -> str:
        """What a user is told.

        Args:
            precision: the quicker one.
            name: of the image.

        Example:
            >>> Agreement(pixels=65536, equal=0.9997, difference=0.02).sentence("bfloat16", "a.png")
            'bfloat16 gives the same label as float32 at 99.97 % of 65,536 pixels of a.png'
        """
        share = f"{100 * self.equal:.2f}" if self.equal < 1 else "100"
        # Rounding may not hide that some differ.
        share = "99.99" if share == "100.00" else share
        return (
            f"{precision} gives the same label as float32 at {share} % of {self.pixels:,} pixels "
            f"of {name}"
        )


def agreement_with_float32(fast: SceneAnswer, exact: SceneAnswer, scene: Scene) -> Agreement:
    """Compare two answers on the middle of a scene, at most 256x256 pixels of it.

    Args:
        fast: in quicker arithmetic.
        exact: the same in float32.
        scene: of which the first plane is looked at.

    Raises:
        UsageError: where there are no probabilities.
    """
    window = _middle(*scene.size)
    found, truth = (answer.probabilities(scene, window) for answer in (fast, exact))
    same = found.argmax(axis=0) == truth.argmax(axis=0)
    return Agreement(
        pixels=same.size,
        equal=float(same.mean()),
        difference=float(np.abs(found - truth).max()),
    )


def _middle(height: int, width: int) -> Window:
    top, left = (max(0, (size - SIDE) // 2) for size in (height, width))
    return Window(top=top, bottom=min(top + SIDE, height), left=left, right=min(left + SIDE, width))
