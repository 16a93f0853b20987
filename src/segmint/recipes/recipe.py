"""What every recipe is: its options in sections, how it learns, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from segmint.errors import InputError
from segmint.options import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.methods.method import Outcome
    from segmint.solvers.watcher import Watcher

Predictor = Callable[["Image", "NDArray[np.bool_] | None"], "Outcome"]
"""What a run says of an image, inside a region where one is given."""

Section = TypeVar("Section", bound=Options)

Values = Mapping[str, Mapping[str, Any]]
"""Values of options by section and name."""


class EveryPeer(Protocol):
    """A predictor of a run with several networks, which can also be asked for all answers."""

    def __call__(self, image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        """What the peer says that was asked for."""
        ...

    def answers(
        self, image: Image, region: NDArray[np.bool_] | None
    ) -> dict[str, NDArray[np.int32]]:
        """Labels by the name of every peer and ensemble."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One training: from what, how, and where to."""

    settings: Mapping[str, Options]
    """The options of each section of the recipe."""
    folder: Path
    """Of the run."""
    paths: Sequence[Path] = ()
    """Root of a data set, for recipes that learn from masks."""
    images: Sequence[Image] = ()
    """For recipes that learn from images alone."""
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    resume: bool = False
    """Go on from the last checkpoint in the folder."""
    watch: Watcher | None = None
    begin: Callable[[], None] = lambda: None
    """To be called when all input is checked, before the first file is written."""
    say: Callable[[str], None] = lambda line: None
    """Tells the user what was recognized, before learning begins."""

    def section(self, kind: type[Section]) -> Section:
        """The options of a kind, whatever their section is called."""
        return next(options for options in self.settings.values() if isinstance(options, kind))


def check_channels_of_run(image: Image | Scene, channels: int) -> None:
    """Refuse an image unlike those that a run learned on.

    Raises:
        InputError: for another number of channels; says both.
    """
    if image.channels != channels:
        raise InputError(
            f"image has {image.channels} channels, the run learned on {channels}: "
            "give images like those it learned on"
        )


def learned_components(components: int, images: int) -> str:
    """What was learned, as the last line of a training says it.

    Example:
        >>> learned_components(1, 2)
        'learned 1 component from 2 images'
    """
    plural = "" if components == 1 else "s"
    return f"learned {components} component{plural} from {counted_images(images)}"


def counted_images(images: int) -> str:
    """A number of images, as sentences say it.

    Example:
        >>> counted_images(1), counted_images(2)
        ('1 image', '2 images')
    """
    return f"{images} image{'' if images == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A registered recipe."""

    sections: Mapping[str, type[Options]]
    """Its options; no name occurs in two sections."""
    train: Callable[[Plan], dict[str, Any]]
    """Learns, writes the network, and returns what the record of the run shall say, with the
    ``summary`` that a command prints and the ``seconds`` of all sittings."""
    load: Callable[..., Predictor]
    """``load(folder, record, *, device, precision, tiling)``, and where it has peers also ``peer``,
    the name of one; then it is an :class:`EveryPeer`. One that also has ``of_scene`` answers images
    that do not fit into memory."""
    defaults: Values = field(default_factory=dict)
    """Where this recipe departs from the defaults of its options."""
    presets: Mapping[str, Values] = field(default_factory=dict)
    """Named departures from that."""
    note: str = ""
    """For the reader of its help: where it differs from what was published, and why."""
    peers: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda record: ()
    """Names of what a run can be asked for, by its record, the one it answers with unasked first;
    a recipe with one network has none, and its ``load`` takes no ``peer``. Raises ``ValueError``
    with the name of a damaged entry."""
    takes_dataset: bool = False
    """Learns from images with masks, in the layout of a data set."""
