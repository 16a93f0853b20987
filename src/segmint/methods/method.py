"""What every method is: its options, its presets, and one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segmint.errors import UsageError, nearest
from segmint.options import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.memory_limit import MemoryLimit
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.methods.mixture_table import MixtureTable
    from segmint.regions.hierarchy import RegionHierarchy
    from segmint.regions.hybrid_start import HybridStart

BY_AREA = "by area, largest first; scribbled components keep their ids"
"""The order of components where a method has none of its own."""

OF_THE_DATA_SET = "the classes of the data set"
"""The order of labels that are classes, as a run learned them from masks."""

Observer = Callable[[int, "NDArray[np.int32]"], None]
"""Called with the iteration and the labels as they are, at the size the method works at."""


@dataclass(kw_only=True)
class WarmStart:
    """What a method found out about an image, kept by the caller for the next call on it.

    Results are the same with and without; what was kept of another image is not used.
    """

    hybrid: HybridStart | None = None
    """What ``hybrid`` knows before it is told scribbles."""

    @property
    def nbytes(self) -> int:
        """Memory that it takes, in bytes."""
        return 0 if self.hybrid is None else self.hybrid.nbytes


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a method may know beside the image and its options."""

    scribbles: NDArray[np.int32] | None = None
    """(H, W) id of each scribbled pixel, -1 elsewhere; at least two ids."""
    region: NDArray[np.bool_] | None = None
    """(H, W), or (D, H, W) of a volume: where to look."""
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    observe: Observer | None = None
    save_model: str | None = None
    """File for the learned network, for methods that learn one."""
    image: Image | None = None
    """What the file said beside its pixels."""
    scene_region: Scene | None = None
    """Of a scene, where to look: values other than 0 are inside."""
    limit: MemoryLimit | None = None
    """Of a scene, how much memory may be used."""
    warm: WarmStart | None = None
    """What was found out about the image before, and what is found out now."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a method found."""

    labels: NDArray[np.int32]
    """(H, W), or (D, H, W) of a volume; -1 outside the region; ids of scribbles are kept."""
    hierarchy: RegionHierarchy | None = None
    """Regions and the tree that joins them, for another number of components."""
    probabilities: Callable[[], NDArray[np.float32]] | None = None
    """Computes (K, H, W), or (K, D, H, W) of a volume, when asked."""
    uncertainty: Callable[[], NDArray[np.float32]] | None = None
    """Computes (H, W), or (D, H, W) of a volume, when asked: how much networks that answer
    together disagree, as mutual information between class and network, in bits."""
    history: tuple[dict[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    order: str | None = None
    """What the ids are ordered by, where they must stay as they are; None orders them by area."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of ids."""
    colors: NDArray[np.uint8] | None = None
    """(K, 3) RGB color of each id, for classes that have colors of their own."""
    mixture: MixtureTable | None = None
    """Weights, means and variances, for mixtures."""
    maps: bool = False
    """Whether the probabilities belong to the files of the result."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A registered method."""

    options: type[Options]
    segment: Callable[[NDArray[Any], Any, Task], Outcome]
    """``segment(image, options, task)``: the image is float32 (H, W, C) in 0..1, unless the method
    takes volumes."""
    fit_scene: Callable[[Scene, Any, Task], SceneOutcome] | None = None
    """``fit_scene(scene, options, task)``: learns from a sample or one pass of a scene and says how
    to answer any window of it; None where the method has to see the whole image at once."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    takes_volumes: bool = False
    """Gets (H, W, C) or (D, H, W, C) with the values as they are stored, not slice by slice."""
    takes_scribbles: bool = False
    saves_model: bool = False

    def resolve(self, preset: str | None, values: Mapping[str, Any]) -> Options:
        """The options of a preset, overridden by the given values.

        Raises:
            UsageError: for an unknown preset, an unknown option or a value out of range.
        """
        base: Mapping[str, Any] = {}
        if preset is not None:
            if preset not in self.presets:
                raise UsageError(f"unknown preset {preset!r}: {_presets(preset, self.presets)}")
            base = self.presets[preset]
        names = self.options.names()
        given = {names.get(name, name) for name in values}
        kept = {name: value for name, value in base.items() if name not in given}
        return self.options.from_mapping({**kept, **values})


def _presets(name: str, presets: Mapping[str, Any]) -> str:
    if presets:
        return nearest(name, presets)
    from segmint.methods import methods

    owners = [method for method in methods if methods.load(method).presets]
    return f"this method has none: leave it out or choose a method that has some, {owners[0]}"
