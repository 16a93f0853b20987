"""Images of one size that go through networks together, where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from segmint.devices import memory_errors
from segmint.errors import UsageError, shortened

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.methods.method import Outcome
    from segmint.recipes.recipe import Predictor

Region = NDArray[np.bool_] | None

_MOST = 64


@runtime_checkable
class AnswersSeveral(Protocol):
    """A predictor that can take images through its networks together."""

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images of a height and width go together; depends on no others."""
        ...

    def several(
        self, images: Sequence[Image], regions: Sequence[Region], *, together: int
    ) -> list[Outcome]:
        """What is said of images of one size, of which no more are given than go together.

        Raises:
            InputError: for an image unlike those that were learned on.
            MemoryError: when there is not enough for so many.
        """
        ...


def outcomes_of(
    predictor: Predictor, pairs: Sequence[tuple[Image, Region]], *, together: int
) -> list[Outcome]:
    """What is said of images of one size, each with its region; alone where memory is short."""
    notes: tuple[str, ...] = ()
    several: object = predictor
    if together > 1 and isinstance(several, AnswersSeveral):
        images, regions = zip(*pairs, strict=True)
        try:
            with memory_errors():
                return several.several(images, regions, together=together)
        except MemoryError:
            notes = (f"too little memory for {together} images together: answered one by one",)
    outcomes = (predictor(image, region) for image, region in pairs)
    return [replace(outcome, notes=(*outcome.notes, *notes)) for outcome in outcomes]


def together_by(predictor: Predictor, image: Image) -> int:
    """How many images of the size of one go together."""
    several: object = predictor
    if image.is_stack or not isinstance(several, AnswersSeveral):
        return 1
    return several.at_once((image.height, image.width))


def equal_ones(images: Sequence[Image]) -> list[list[int]]:
    """Numbers of the images of each size."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        groups.setdefault(image.pixels.shape, []).append(number)
    return list(groups.values())


def checked_together(together: int | None) -> None:
    """Refuse numbers of images that cannot go together.

    Raises:
        UsageError: says which can.
    """
    if together is not None and (type(together) is not int or not 1 <= together <= _MOST):
        raise UsageError(
            f"together is {shortened(repr(together))}, accepted is a whole number from 1 to "
            f"{_MOST}, or None: leave it out"
        )
