"""What less precise arithmetic changes, told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segmint.cli import console

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.recipes.answering import Answering


class TellAgreement:
    """Compares an answer with that of float32 on a part of the first image, and says it.

    Args:
        answering: by the precision that was asked for.
        exact: opens the same in float32, when it is needed.
        quiet: say nothing.
    """

    def __init__(
        self, answering: Answering, exact: Callable[[], Answering], *, quiet: bool = False
    ) -> None:
        self._answering = answering
        self._exact = exact
        self._is_said = quiet or answering.arithmetic in (None, "float32")

    def of_image(self, image: Image) -> None:
        """Tell of an image, if none was told of yet."""
        from segmint.images.array_scene import ArrayScene

        if not self._is_said:
            scene = ArrayScene(image)
            self.of_scene(scene, self._answering.of_scene(scene))

    def of_scene(self, scene: Scene, outcome: SceneOutcome) -> SceneOutcome:
        """Tell of a scene, if of nothing was told yet; the outcome comes back."""
        from segmint.inference.agreement import agreement_with_float32

        if not self._is_said:
            self._is_said = True
            exact = self._exact().of_scene(scene)
            found = agreement_with_float32(outcome.answer, exact.answer, scene)
            said = found.sentence(str(self._answering.arithmetic), str(scene.source))
            console.say(f"note: {said}")
        return outcome
