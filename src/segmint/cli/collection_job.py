"""What is done to each image of a command, as it is sent to workers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from segmint.cli.collection_work import CollectionWork
from segmint.cli.image_work import ImageWork, Together, reader
from segmint.cli.inputs import InputOptions, PlaceOptions, RunOptions
from segmint.cli.scenes import ScenesByWindow
from segmint.engines.item import Item
from segmint.engines.job import Seat

if TYPE_CHECKING:
    from segmint.cli.work import Spread
    from segmint.engines.scene_job import Fit
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation


@dataclass(frozen=True, kw_only=True)
class CollectionJob(ABC):
    """What is done to each image, as it is sent to workers."""

    options: PlaceOptions
    inputs: InputOptions
    how: RunOptions
    begun: int = 0
    """When the collection was begun, in nanoseconds by the clock of the folder's file system."""
    share: int = 1
    """Workers of one machine, among whom its memory is shared."""

    @property
    @abstractmethod
    def signature(self) -> dict[str, Any]:
        """What tells a result apart from one made with other options: method, seed, options."""

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the results of all images, for their manifest."""
        told = {"pages": self.inputs.pages, "precision": self.how.precision}
        return {**self.signature, **told}

    @property
    @abstractmethod
    def modules(self) -> Sequence[str]:
        """What workers import, so that it is done once for those of a machine."""

    @abstractmethod
    def segment(self, image: Image, item: Item) -> tuple[Segmentation, Mapping[str, bytes]]:
        """The segmentation of an image, and further files of its result by name."""

    @abstractmethod
    def by_window(self) -> ScenesByWindow | None:
        """How images are done that do not fit into the memory, where they can be."""

    def images(self, spread: Spread | None = None) -> ImageWork:
        """The work on any image, with all that it needs read.

        Args:
            spread: has the windows of large images answered elsewhere.
        """
        windows = self.by_window()
        if spread is not None and windows is not None:
            windows = replace(windows, spread=spread)
        return ImageWork(
            read=reader(self.inputs, self.options.channels),
            segment=self.segment,
            by_window=None if self.options.channels else windows,
            together=self.together,
            lean=self.inputs.lean,
        )

    def prepare(self, first: Item) -> None:  # noqa: B027 (most have nothing to say)
        """Say what is to be said once, by the first image, before workers begin."""

    def signature_of(self, item: Item) -> dict[str, Any]:
        """The signature of one image, of which a table may have named further files."""
        guides = {"region": item.region, "scribbles": item.scribbles}
        taken = ((name, file) for name, file in guides.items() if hasattr(self.options, name))
        named = {name: file for name, file in taken if file is not None}
        signature = self.signature
        return {**signature, "options": {**signature["options"], **named}} if named else signature

    @property
    def together(self) -> Together | None:
        """How several images are segmented at a time, where that is ever quicker."""
        return None

    @property
    def fit_elsewhere(self) -> Fit | None:
        """How other processes come to answer the windows of a scene; None sends them the fit."""
        return None

    def seated(self, seat: Seat) -> Self:
        """The same job with what a worker has of its machine."""
        how = self.how
        if seat.device is not None and how.device == "auto":
            how = replace(how, device=seat.device)
        return replace(self, how=how, inputs=replace(self.inputs, quiet=True), share=seat.workers)

    def open(self, seat: Seat) -> CollectionWork:
        """Read what every image needs."""
        job = self.seated(seat)
        return CollectionWork(job=job, work=job.images())
