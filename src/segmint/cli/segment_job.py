"""What ``segmint segment`` does to an image, as it is sent to workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from segmint.cli.collection_job import CollectionJob
from segmint.cli.guide_files import read_mask, read_region
from segmint.cli.inputs import SceneOptions
from segmint.cli.scenes import ScenesByWindow
from segmint.cli.segment_options import SegmentOptions
from segmint.engines.item import Item
from segmint.inference.memory_limit import MemoryLimit
from segmint.methods import methods
from segmint.methods.method import Method

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.methods.segmentation import Segmentation


@dataclass(frozen=True, kw_only=True)
class SegmentJob(CollectionJob):
    """The method and its options; nothing else is needed for any image."""

    options: SegmentOptions
    scenes: SceneOptions
    given: Mapping[str, Any]
    """Options of the method."""

    @cached_property
    def signature(self) -> dict[str, Any]:
        """What tells a result apart from one made with other options."""
        method: Method = methods.load(self.options.method)
        resolved = method.resolve(self.options.preset, self.given).resolved()
        guides = _guides(self.options)
        return {
            "method": self.options.method,
            "seed": self.how.seed,
            "options": {**resolved, "preset": self.options.preset, **guides},
        }

    def by_window(self) -> ScenesByWindow | None:
        """How images are done that do not fit into the memory, where the method can."""
        if not _can_stream(self.options, self.scenes):
            return None
        return ScenesByWindow(
            fit=self.fit_scene,
            bytes_a_pixel=_bytes_a_pixel,
            scenes=self.scenes,
            inputs=self.inputs,
            limit=self._limit,
            method=self.options.method,
            options=self.signature["options"],
            seed=self.how.seed,
            region=self.options.region,
            identity={"precision": self.how.precision, "device": self.how.device},
            refused={"--show": self.options.show, "--frames": self.options.frames},
        )

    def fit_scene(self, scene: Scene, region: Scene | None) -> SceneOutcome:
        """How the windows of a scene are answered."""
        from segmint.methods.segment import fit_scene

        return fit_scene(
            scene,
            self.options.method,
            preset=self.options.preset,
            region=region,
            seed=self.how.seed,
            device=self.how.device,
            precision=self.how.precision,
            limit=self._limit,
            save_model=self.options.save_model,
            **self.given,
        )

    @cached_property
    def _limit(self) -> MemoryLimit:
        return MemoryLimit.of(self.scenes.max_memory, among=self.share)

    def segment(self, image: Image, item: Item) -> tuple[Segmentation, Mapping[str, bytes]]:
        """The segmentation of an image, and further files of its result by name."""
        from segmint.cli.watching import Watch
        from segmint.methods.segment import segment
        from segmint.reports.panel_files import panel_files

        assert image.source is not None
        options, how = self.options, self.how
        scribbles = item.scribbles or options.scribbles
        watch = Watch(image, show=options.show, frames=options.frames)
        segmentation = segment(
            image,
            options.method,
            preset=options.preset,
            scribbles=read_mask(scribbles, image.source, "scribble"),
            unlabelled=options.unlabelled,
            region=read_region(item.region or options.region, image),
            seed=how.seed,
            device=how.device,
            precision=how.precision,
            observe=watch.observer,
            save_model=options.save_model,
            **self.given,
        )
        guides = _guides(
            replace(options, scribbles=scribbles, region=item.region or options.region)
        )
        found = replace(segmentation, options={**segmentation.options, **guides})
        return found, {**watch.files(), **panel_files(image, found)}

    @property
    def modules(self) -> Sequence[str]:
        """What workers import, so that it is done once for those of a machine."""
        from segmint.comparisons.preloading import METHOD_MODULES

        own = METHOD_MODULES.get(self.options.method)
        return (*_MODULES, own) if own else _MODULES


_MODULES = (
    "segmint.cli.segment_job",
    "segmint.methods.segment",
    "segmint.methods.storage",
    "segmint.images.reading",
    "segmint.images.overlays",
    "segmint.reports.panel_files",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "tifffile",
)


def _can_stream(options: SegmentOptions, scenes: SceneOptions) -> bool:
    """Whether images may be answered window by window.

    Raises:
        UsageError: when that was asked for and cannot be.
    """
    from segmint.methods.segment import check_scene_abilities

    has_scribbles = options.scribbles is not None
    if scenes.stream != "auto" or scenes.skip_bad:
        check_scene_abilities(options.method, scribbles=has_scribbles)
    method: Method = methods.load(options.method)
    return method.fit_scene is not None and not has_scribbles


def _bytes_a_pixel(scene: Scene) -> float:
    """What an image, its float32 copies, its labels and its overlay take while in memory."""
    return scene.channels * (scene.dtype.itemsize + 16) + 64


def _guides(options: SegmentOptions) -> dict[str, Any]:
    """What beside the image decides the labels."""
    guides = {name: getattr(options, name) for name in ("scribbles", "unlabelled", "region")}
    return {**guides, "channels": list(options.channels)} if options.channels else guides
