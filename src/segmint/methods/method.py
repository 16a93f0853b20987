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

    from segmint.regions.hierarchy import RegionHierarchy

Observer = Callable[[int, "NDArray[np.int32]"], None]
"""Called with the iteration and the labels as they are, at the size the method works at."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a method may know beside the image and its options."""

    scribbles: NDArray[np.int32] | None = None
    """(H, W) id of each scribbled pixel, -1 elsewhere; at least two ids."""
    region: NDArray[np.bool_] | None = None
    """(H, W) where to look."""
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    observe: Observer | None = None
    save_model: str | None = None
    """File for the learned network, for methods that learn one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a method found."""

    labels: NDArray[np.int32]
    """(H, W), -1 outside the region; ids of scribbles are kept."""
    hierarchy: RegionHierarchy | None = None
    """Regions and the tree that joins them, for another number of components."""
    probabilities: Callable[[], NDArray[np.float32]] | None = None
    """Computes (K, H, W) when asked."""
    history: tuple[dict[str, float], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Method:
    """A registered method."""

    options: type[Options]
    segment: Callable[[NDArray[np.float32], Any, Task], Outcome]
    """``segment(image, options, task)``: the image is float32 (H, W, C) in 0..1."""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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
