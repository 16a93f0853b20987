"""The result folder of a scene, made from its blocks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.images.components import write_components_csv
from segmint.images.overlays import save_picture
from segmint.images.scene import Scene
from segmint.inference.block_store import BlockStore
from segmint.inference.numbering import Numbering
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.scene_components import scene_components
from segmint.inference.scene_files import Form, SceneFiles
from segmint.inference.scene_picture import draw_scene, fullest_plane
from segmint.inference.write_failure import write_failure
from segmint.methods.method import BY_AREA
from segmint.methods.mixture_files import write_mixture
from segmint.methods.result_record import result_record
from segmint.methods.segmentation import FILES, RESULT
from segmint.runs import move_files, write_json


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneResult:
    """All that a result folder tells of a scene."""

    scene: Scene
    outcome: SceneOutcome
    store: BlockStore
    method: str
    options: Mapping[str, Any]
    seed: int
    form: Form
    identifier: str
    """A UUID that depends on what the labels are of."""
    started: float
    """When the work began, by ``time.perf_counter``."""

    def write(self, folder: Path, stage: Path) -> dict[str, Any]:
        """Write the files beside their place and move them there, ``result.json`` last.

        Args:
            folder: of the result.
            stage: a folder on the same disk, which goes again.

        Returns:
            What ``result.json`` says.

        Raises:
            InputError: when no pixel counts.
            OutputError: when a file cannot be written; then nothing has moved.
        """
        try:
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir(parents=True)
            record = self._write_files(stage)
            move_files(stage, folder, last=RESULT, replaces=FILES)
        except OSError as error:
            raise write_failure(folder, error) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        return record

    def _write_files(self, stage: Path) -> dict[str, Any]:
        planes = list(self.store.by_plane())
        statistics = self.store.statistics()
        if not statistics.counts.sum():
            self.store.spool.clear()
            raise InputError(
                f"no pixel of {self.scene.source or 'the scene'} counts: all are outside the "
                "region or damaged; give another region, or copy the image again"
            )
        ordered = self.outcome.order is not None
        numbering = (Numbering.as_it_is if ordered else Numbering.by_area)(statistics)
        names = numbering.names(self.outcome.names)
        colors = self.outcome.colors
        colors = None if colors is None else colors[numbering.former]
        files = SceneFiles(
            scene=self.scene, store=self.store, numbering=numbering, form=self.form, colors=colors
        )
        files.write_labels(stage, self.identifier)
        if self.store.maps:
            files.write_maps(stage, names)
        picture = draw_scene(self.scene, files, stage, fullest_plane(planes))
        save_picture(stage / "overlay.png", picture)
        components = scene_components(statistics, numbering, names=names, colors=colors)
        channels = self.scene.channel_names or None
        write_components_csv(stage / "components.csv", components, channels=channels)
        if self.outcome.mixture is not None:
            write_mixture(stage, self.outcome.mixture, self.outcome.history)
        record = self._record(files.labels_name, len(components), names)
        write_json(stage / RESULT, record)
        return record

    def _record(self, labels: str, components: int, names: Mapping[int, str]) -> dict[str, Any]:
        scene, outcome = self.scene, self.outcome
        record = result_record(
            image=None if scene.source is None else str(scene.source),
            labels=labels,
            shape=scene.shape,
            spacing=scene.spacing,
            method=self.method,
            options=self.options,
            seed=self.seed,
            components=components,
            order=outcome.order or BY_AREA,
            names=names,
            mixture=outcome.mixture,
            seconds=time.perf_counter() - self.started,
            notes=[*scene.notes, *outcome.notes, *outcome.answer.notes],
            history=outcome.history,
        )
        return {**record, "blocks": len(self.store.grid), "streamed": True}
