"""What ``segmint predict`` does to an image, as it is sent to workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.cli.agreement import TellAgreement
from segmint.cli.collection_job import CollectionJob
from segmint.cli.guide_files import read_region
from segmint.cli.predict_options import PredictOptions, TileOptions
from segmint.cli.scenes import ScenesByWindow
from segmint.engines.item import Item
from segmint.errors import SegmintError, UsageError
from segmint.inference.memory_limit import MemoryLimit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.cli.image_work import Together
    from segmint.engines.job import Seat
    from segmint.engines.scene_job import Fit
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.inference.tiling import Tiling
    from segmint.methods.segmentation import Segmentation
    from segmint.recipes.answering import Answering


@dataclass(frozen=True, kw_only=True)
class PredictJob(CollectionJob):
    """Runs and how they are asked; each process opens them once."""

    options: PredictOptions
    runs: tuple[str, ...]
    """Folders of runs or exported files; several answer together."""
    tiles: TileOptions
    by_ones: bool = False
    """Never let several images go through the networks at once."""

    @cached_property
    def answering(self) -> Answering:
        """What answers, opened when it is first asked for.

        Raises:
            InputError: for what is no run.
            UsageError: for what it cannot be asked.
        """
        return self._opened(self.how.precision)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what each process opens for itself."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @cached_property
    def signature(self) -> dict[str, Any]:
        """What tells a result apart from one made with other options."""
        answering = self.answering
        options = {**answering.described, **_guides(self.options)}
        return {"method": answering.method, "seed": answering.seed, "options": options}

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the results of all images, for their manifest."""
        by_ones = {"images_per_batch": 1} if self.by_ones else {}
        return {**super().identity, **self.answering.identity, **by_ones}

    def check(self) -> None:
        """Open the runs, and refuse what no image could be asked.

        Raises:
            InputError: for what is no run.
            UsageError: names the option.
        """
        answering = self.answering
        if self.options.uncertainty and not answering.are_several:
            raise UsageError(
                f"a {answering.method} has one network, which has none to disagree with: "
                "leave out --uncertainty, give a run of mutual, or further runs with --also"
            )

    def prepare(self, first: Item) -> None:
        """Say once what less precise arithmetic changes, by the first image."""
        work = self.images()
        with suppress(SegmintError, MemoryError):  # which that image will tell of when it is done
            if work.by_window is None or not work.by_window.takes(Path(first.image)):
                self._tell.of_image(work.read(Path(first.image)))

    def by_window(self) -> ScenesByWindow:
        """How images are done that do not fit into the memory."""
        return ScenesByWindow(
            fit=self.fit_scene,
            bytes_a_pixel=lambda scene: _bytes_a_pixel(scene, self.answering.classes),
            scenes=self.tiles,
            inputs=self.inputs,
            limit=self._tiling.resolved_limit(),
            method=self.answering.method,
            options=self.signature["options"],
            seed=self.answering.seed,
            region=self.options.region,
            probabilities=self.options.probabilities,
            identity=self.answering.identity,
            refused={"--uncertainty": self.options.uncertainty},
        )

    def fit_scene(self, scene: Scene, region: Scene | None) -> SceneOutcome:
        """How the windows of a scene are answered."""
        return self._tell.of_scene(scene, self.answering.of_scene(scene))

    @property
    def fit_elsewhere(self) -> Fit:
        """Other processes open the runs themselves."""
        return self._fit_seated

    def _fit_seated(self, scene: Scene, region: Scene | None, seat: Seat) -> SceneOutcome:
        return self.seated(seat).fit_scene(scene, region)

    @property
    def together(self) -> Together | None:
        """Several images of one shape go through the networks at once, where that is quicker."""
        return None if self.by_ones else _Together(self)

    def segment(self, image: Image, item: Item) -> tuple[Segmentation, Mapping[str, bytes]]:
        """The segmentation of an image, and further files of its result by name."""
        self._tell.of_image(image)
        found = self.answering.segment(image, region=self.region_of(image, item))
        return self.completed(found, image, item)

    def region_of(self, image: Image, item: Item) -> NDArray[np.bool_] | None:
        """Where to look in an image, or None when that was not said."""
        return read_region(item.region or self.options.region, image)

    def completed(
        self, found: Segmentation, image: Image, item: Item
    ) -> tuple[Segmentation, Mapping[str, bytes]]:
        """A segmentation with the maps that were asked for, and further files by name."""
        from segmint.reports.panel_files import panel_files

        self._check_maps(found)
        options = replace(self.options, region=item.region or self.options.region)
        found = replace(
            found,
            maps=found.maps or options.probabilities,
            uncertainty_map=options.uncertainty,
            options={**found.options, **_guides(options)},
        )
        return found, panel_files(image, found)

    def _check_maps(self, found: Segmentation) -> None:
        if self.options.probabilities and found.compute_probabilities is None:
            raise UsageError(
                f"{self.answering.method} has no probabilities: leave out --probabilities"
            )
        if self.options.uncertainty and found.compute_uncertainty is None:
            raise UsageError(
                f"{found.options.get('peer')} learned alone and has no other twin to disagree "
                "with: leave out --uncertainty, or ask another --peer"
            )

    def _opened(self, precision: str) -> Answering:
        from segmint.recipes.opening import open_answering

        return open_answering(
            self.runs,
            device=self.how.device,
            precision=precision,
            peer=self.options.peer,
            tiling=self._tiling,
        )

    @cached_property
    def _tell(self) -> TellAgreement:
        return TellAgreement(
            self.answering, lambda: self._opened("float32"), quiet=self.inputs.quiet
        )

    @cached_property
    def _tiling(self) -> Tiling:
        from segmint.inference.tiling import Tiling
        from segmint.inference.views import Views

        tta = self.options.tta
        views = Views(
            flips="flips" in tta,
            rotations="rotations" in tta,
            scales=self.options.tta_scales if "scales" in tta else (),
        )
        limit = MemoryLimit.of(self.tiles.max_memory, among=self.share)
        return Tiling(limit=limit, tile=self.tiles.tile, views=views)

    @property
    def modules(self) -> Sequence[str]:
        """What workers import, so that it is done once for those of a machine."""
        return _MODULES


@dataclass(frozen=True)
class _Together:
    """The images of one shape that a worker was given."""

    job: PredictJob

    def at_once(self, image: Image) -> int:
        return self.job.answering.at_once(image)

    def segment(
        self, images: Sequence[tuple[Item, Image]]
    ) -> list[tuple[Segmentation, Mapping[str, bytes]]]:
        regions = [self.job.region_of(image, item) for item, image in images]
        found = self.job.answering.segment_several([each for _, each in images], regions=regions)
        return [
            self.job.completed(one, image, item)
            for one, (item, image) in zip(found, images, strict=True)
        ]


_MODULES = (
    "segmint.cli.predict_job",
    "segmint.recipes.opening",
    "segmint.recipes.class_prediction",
    "segmint.images.reading",
    "segmint.images.overlays",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "tifffile",
)

_SAID_ELSEWHERE = {"peer", "also", "tta", "tta_scales"}
"""Options of which the runs themselves tell."""


def _guides(options: PredictOptions) -> dict[str, Any]:
    """What beside the run and the image decides the result."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(options).items()
        if value and name not in _SAID_ELSEWHERE
    }


def _bytes_a_pixel(scene: Scene, classes: int) -> float:
    """What an image, its probabilities and its labels take while they are in memory."""
    return scene.channels * (scene.dtype.itemsize + 8) + 12 * classes + 16
