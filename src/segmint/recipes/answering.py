"""What answers to images: a run, several runs together, or a file that one was exported to."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.devices import memory_errors
from segmint.errors import UsageError
from segmint.images import Image, check_finite
from segmint.methods.segment import checked_region, segmentation_of
from segmint.methods.segmentation import Segmentation
from segmint.recipes.several_images import checked_together, equal_ones, outcomes_of, together_by

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.answer_file import Form, Progress
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.recipes.recipe import Predictor


@runtime_checkable
class AnswersScenes(Protocol):
    """A predictor that can also be asked window by window."""

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """How the windows of a scene are answered.

        Raises:
            InputError: for a scene unlike the images that were learned on.
        """
        ...


class Answering(ABC):
    """Labels and probabilities of images, by what was learned before."""

    _predictor: Predictor

    @property
    @abstractmethod
    def method(self) -> str:
        """Who answers, as a result says it."""

    @property
    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What a result says of how it was made."""

    @property
    @abstractmethod
    def seed(self) -> int:
        """Of the training."""

    @property
    def arithmetic(self) -> str | None:
        """The type that networks compute in, for those that learned classes; None for others."""
        return None

    @property
    def are_several(self) -> bool:
        """Whether several networks answer, that can disagree."""
        return False

    @property
    @abstractmethod
    def classes(self) -> int:
        """Classes or components that an answer can have."""

    def predict(
        self, image: ArrayLike | Image, *, region: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Labels (H, W), or (D, H, W) of a stack, with the numbers learned in training."""
        return self.segment(image, region=region).labels

    def segment(self, image: ArrayLike | Image, *, region: ArrayLike | None = None) -> Segmentation:
        """As :meth:`predict`, with what is needed to save the result.

        Args:
            image: like those that were learned on, of any size; what does not fit into the memory
                at once goes through the networks in tiles.
            region: (H, W) boolean, or (D, H, W) for a stack: where to look; a prepared file brings
                its own.
        """
        return self._segmented([checked(image, region)], together=1)[0]

    def at_once(self, image: Image) -> int:
        """How many images like this one :meth:`segment_several` takes through a network at once.

        It depends on the size of the image, the networks, their device and the options alone, from
        1 (always on a processor) to 16.
        """
        return together_by(self._predictor, image)

    def segment_several(
        self,
        images: Sequence[Image],
        *,
        regions: Sequence[ArrayLike | None] | None = None,
        together: int | None = None,
    ) -> list[Segmentation]:
        """As :meth:`segment` for each image; those of one size go through networks together.

        What is said of an image does not depend on the others, to the last bit: a batch always has
        the same number of places, which a short one fills by repeating an image, and a network
        that does not answer alike in all of them gets images one by one. In another number of
        places, so also in :meth:`segment`, sums may be rounded otherwise (measured: up to 3e-5 of
        logits in float32 on a processor). So whoever answers a collection with this answers also
        an image that is left, or is done again, with this: ``segment_several([image])``.

        Stacks, images that take several tiles, and all images for runs that learned components
        are answered one by one; so are those for which memory is short, and their notes say it.

        Args:
            images: any; they are grouped here.
            regions: for each of them, as for :meth:`segment`.
            together: how many go together, 1 to 64; None takes :meth:`at_once` of each size.

        Returns:
            In the order of the images; the seconds of each are its share of its batch.

        Raises:
            InputError: for an image that cannot be used; nothing is said of the others then, so
                ask for each alone.
            UsageError: for another number of regions, or of what goes together.
        """
        checked_together(together)
        given = [None] * len(images) if regions is None else regions
        if len(given) != len(images):
            raise UsageError(
                f"{len(given)} regions for {len(images)} images: give one for each, or None"
            )
        pairs = [checked(*pair) for pair in zip(images, given, strict=True)]
        found: dict[int, Segmentation] = {}
        for numbers in equal_ones([image for image, _ in pairs]):
            count = together or self.at_once(pairs[numbers[0]][0])
            for first in range(0, len(numbers), count):
                batch = numbers[first : first + count]
                segmentations = self._segmented([pairs[each] for each in batch], together=count)
                found.update(zip(batch, segmentations, strict=True))
        return [found[number] for number in range(len(images))]

    def _segmented(
        self, pairs: Sequence[tuple[Image, NDArray[np.bool_] | None]], *, together: int
    ) -> list[Segmentation]:
        """Segmentations of images of one size, inside their regions."""
        start = time.perf_counter()
        with memory_errors():
            outcomes = outcomes_of(self._predictor, pairs, together=together)
        seconds = (time.perf_counter() - start) / len(pairs)
        return [
            segmentation_of(
                outcome,
                method=self.method,
                options=self.described,
                seed=self.seed,
                seconds=seconds,
            )
            for outcome in outcomes
        ]

    def segment_file(
        self,
        image: str | Path,
        out: str | Path,
        *,
        region: str | Path | None = None,
        probabilities: bool = False,
        form: Form = "auto",
        pages: str = "auto",
        skip_bad: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Answer a file of any size window by window, into a result folder.

        Memory does not grow with the image, and a call that was stopped, also by kill -9, goes on
        where it was when it is made again.

        Args:
            image: as for :func:`segmint.segment_file`, like those that were learned on.
            out: folder of the result; files of an earlier one are replaced.
            region: file of a mask of the same size, nonzero where to look.
            probabilities: write them and their entropy, too, as float16.
            form: ``tiff`` (tiled BigTIFF), ``zarr`` (OME-Zarr); ``auto`` is Zarr for Zarr, else
                TIFF.
            pages: what the pages of a file are, as for :func:`segmint.read_image`.
            skip_bad: leave pixels of damaged tiles out, as if outside the region.
            progress: called with the number of blocks that are done, and of all.

        Returns:
            What ``result.json`` in the folder says.

        Raises:
            InputError: when a file cannot be read, or is unlike the images that were learned on.
            OutputError: when there is no room on the disk, or a file cannot be written.
        """
        from segmint.inference.answer_file import answer_file

        return answer_file(
            image,
            out,
            lambda scene, _: self.of_scene(scene),
            method=self.method,
            options=self.described,
            seed=self.seed,
            region=region,
            probabilities=probabilities,
            form=form,
            pages=pages,
            skip_bad=skip_bad,
            identity=self.identity,
            progress=progress,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the labels beside :attr:`described`."""
        return {"arithmetic": self.arithmetic}

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """How the windows of a scene are answered, as :meth:`segment_file` asks them.

        Raises:
            InputError: for a scene unlike the images that were learned on.
            UsageError: where only whole images can be answered.
        """
        predictor: object = self._predictor
        if not isinstance(predictor, AnswersScenes):
            raise UsageError(f"{self.method} answers only whole images: leave out --stream")
        return predictor.of_scene(scene)


def checked(
    image: ArrayLike | Image, region: ArrayLike | None
) -> tuple[Image, NDArray[np.bool_] | None]:
    """The image and where to look in it.

    Raises:
        InputError: for an image or a region that cannot be used.
    """
    source = image if isinstance(image, Image) else Image.from_array(image)
    where = checked_region(source, region)
    check_finite(source, where, advice="clean them")
    return source, where
