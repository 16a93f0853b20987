"""An image answered window by window for the page: a preview, the result, and its facts."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.app.errand import Telling
from segmint.app.errands.answers import files_in
from segmint.app.errands.held import held
from segmint.app.errands.result_links import link_result
from segmint.app.views.scene_labels import (
    fullest_scene_slice,
    scene_legend,
    upright_view,
    write_scene_label_view,
)
from segmint.app.views.scene_overviews import overview_of, turning
from segmint.app.views.view import label_png, nearest
from segmint.errors import SegmintError, UsageError
from segmint.images.image import Image
from segmint.images.opening_scenes import open_scene
from segmint.inference.answer_file import answer_file
from segmint.inference.streaming import UNFINISHED
from segmint.methods.segmentation import RESULT
from segmint.runs import write_json

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome

Labels = NDArray[np.int32]

PREVIEW_PIXELS = 400_000
"""Of the reduced image that is answered first."""


class WindowWork:
    """One large image, from its preview to what the page shows of its result.

    Args:
        telling: of the preview and of the blocks that are done.
        path: the image.
        name: of the image, as its visitor knows it.
        fit: folder for the result.
    """

    def __init__(self, telling: Telling, path: Path, name: str, *, fit: Path) -> None:
        self._telling, self._path, self._name, self._fit = telling, path, name, fit

    def preview(self, answer: Callable[[Image], Labels]) -> None:
        """Show what is answered of the image reduced, of a stack of its middle slice.

        Args:
            answer: gives the labels (h, w) of an image.

        Raises:
            InputError: for a damaged image.
            UsageError: when the visitor stopped it.
        """
        with open_scene(self._path) as scene:
            plane, view, turn = scene.planes // 2, upright_view(scene), turning(scene)
            scale = min(1.0, math.sqrt(PREVIEW_PIXELS / math.prod(scene.size)))
            pixels = overview_of(scene, max(1, int(max(scene.size) * scale)), plane)
            reduced = Image(pixels=pixels, channel_names=scene.channel_names)
        # What cannot be said of the reduced image may well be said of the whole one.
        with suppress(SegmintError):
            labels = answer(reduced)
            self._telling.frame(label_png(nearest(turn(labels), view)), 0, None)
        self._check_stopped()

    def run(
        self,
        fit: Callable[[Scene, Scene | None], SceneOutcome],
        *,
        method: str,
        options: Mapping[str, Any],
        seed: int,
        identity: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Write the result.

        Args:
            fit: ``fit(scene, region)``, how windows are answered.
            method: who answers, for the record.
            options: all options with their values, for the record.
            seed: of everything random.
            identity: what else decides the labels.

        Returns:
            What its record says, the image by the name that its visitor knows.

        Raises:
            InputError: for a damaged image.
            OutputError: when a file cannot be written.
            UsageError: when the visitor stopped it; nothing is left then but a former result.
        """
        held.clear()  # it would count towards --max-memory
        try:
            record = answer_file(
                self._path,
                self._fit,
                fit,
                method=method,
                options=options,
                seed=seed,
                form="tiff",
                identity=identity,
                progress=self._advance,
            )
        finally:
            # What a job left that was stopped is never gone on with.
            shutil.rmtree(self._fit / UNFINISHED, ignore_errors=True)
            with suppress(OSError):  # it stays where anything is in it
                self._fit.rmdir()
        record["image"] = self._name
        write_json(self._fit / RESULT, record)
        return record

    def shown(self, record: Mapping[str, Any], *, result: Path, views: Path) -> dict[str, Any]:
        """Offer the files of the result, and draw its fullest slice.

        Args:
            record: of the result.
            result: folder for the files that are offered.
            views: folder for the views of this answer.

        Returns:
            The facts of the answer; there are no probabilities, and nothing can be changed by hand.

        Raises:
            OutputError: when a file cannot be written.
        """
        link_result(self._fit, result)
        labels = self._fit / record["labels"]
        index = fullest_scene_slice(labels)
        write_scene_label_view(views, labels, self._path, index)
        with open_scene(self._path) as scene:
            said_on_opening = scene.notes
        return {
            "method": record["method"],
            "components": record["components"],
            "seconds": round(record["seconds"], 3),
            "notes": [note for note in record["notes"] if note not in said_on_opening],
            "stopped": None,
            "legend": scene_legend(self._fit / "components.csv"),
            "slice": index,
            "most_components": None,
            "can_change": False,
            "has_probabilities": False,
            "maps": [],
            "files": files_in(result),
        }

    def _advance(self, done: int, total: int) -> None:
        self._telling.progress(done, total, "blocks")
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._telling.is_stopped:
            raise UsageError(f"stopped: nothing of {self._name} is kept; begin it again")
