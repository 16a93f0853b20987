"""Boundaries, superpixels and learned merging: fast, without training, the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmint.methods.method import Method, Outcome, Task
from segmint.options import Options, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.regions.hybrid_start import HybridStart


@dataclass(frozen=True, kw_only=True)
class HybridOptions(Options):
    """Options of ``hybrid``."""

    components: int | None = option(None, low=1, aliases=("n_components",))
    """Exactly so many components (in each slice of a stack); without it the image decides."""
    fineness: float = option(0.5, low=0, high=1)
    """From 0, few large components, to 1, many small ones; not used with an exact number."""
    working_pixels: int = option(200_000, low=100)
    """Boundaries are measured on the image reduced to about so many pixels."""


def segment(image: NDArray[np.float32], options: HybridOptions, task: Task) -> Outcome:
    """Segment one image by merging superpixels."""
    from segmint.regions.hybrid import segmentation_from
    from segmint.regions.ordering import name_by_scribbles

    scribbles = task.scribbles
    hierarchy = segmentation_from(
        _start(image, options, task),
        scribbles=scribbles,
        components=options.components,
        fineness=options.fineness,
    )
    if scribbles is not None:
        return Outcome(labels=name_by_scribbles(hierarchy.labels, scribbles))
    return Outcome(labels=hierarchy.labels, hierarchy=hierarchy)


def _start(image: NDArray[np.float32], options: HybridOptions, task: Task) -> HybridStart:
    """The measured image: what the caller keeps, where it is of this one."""
    from segmint.regions.hybrid_start import HybridStart

    how = {"working_pixels": options.working_pixels, "seed": task.seed}
    kept = None if task.warm is None else task.warm.hybrid
    if kept is None or not kept.fits(image, task.region, **how):
        kept = HybridStart.of(image, task.region, **how)
    if task.warm is not None:
        task.warm.hybrid = kept
    return kept


def fit_scene(scene: Scene, options: HybridOptions, task: Task) -> SceneOutcome:
    """Merge superpixels of the scene at working size and answer any window."""
    from segmint.images.scene_pixels import ScenePixels
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.regions.hybrid_scene import HybridScene

    answer = HybridScene(
        ScenePixels(scene=scene, region=task.scene_region),
        components=options.components,
        fineness=options.fineness,
        working_pixels=options.working_pixels,
        seed=task.seed,
    )
    return SceneOutcome(answer=answer, notes=answer.decided)


METHOD = Method(options=HybridOptions, segment=segment, fit_scene=fit_scene, takes_scribbles=True)
