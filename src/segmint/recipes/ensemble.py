"""Several runs that answer together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError, shortened
from segmint.methods.method import Outcome
from segmint.metrics.disagreement import disagreement
from segmint.recipes.answering import Answering
from segmint.recipes.class_prediction import ClassPrediction

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.member import Member
    from segmint.inference.scene_answer import SceneOutcome

Maps = NDArray[np.float32]
Region = NDArray[np.bool_] | None

_MOST_NAMES = 5


@runtime_checkable
class OfMembers(Protocol):
    """A predictor whose networks can answer together with those of others."""

    prediction: ClassPrediction
    members: Sequence[Member]


class Ensemble(Answering):
    """The mean of the probabilities of all networks of several runs, each counting the same.

    Args:
        answering: runs and exported files that learned the same classes, at least two.

    Raises:
        UsageError: for one alone, or one that learned components and not classes.
        InputError: for runs of other classes or channels.
    """

    def __init__(self, answering: Sequence[Answering]) -> None:
        others = [each for each in answering if not isinstance(each, Answering)]
        if others:
            raise UsageError(
                f"an ensemble holds {shortened(repr(others[0]))}, accepted are runs and exported "
                "files: open it with segmint.Run first"
            )
        if len(answering) < 2:
            raise UsageError(f"an ensemble of {len(answering)}: give two runs or more")
        self._answering = tuple(answering)
        self._predictor = _Together([_of_members(each) for each in answering])

    @property
    def method(self) -> str:
        """Who answers, as a result says it."""
        return "ensemble of " + ", ".join(each.method for each in self._answering)

    @property
    def described(self) -> dict[str, Any]:
        """What a result says of how it was made."""
        return {"members": [dict(each.described) for each in self._answering]}

    @property
    def arithmetic(self) -> str | None:
        """The type that networks compute in."""
        return self._answering[0].arithmetic

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the labels beside :attr:`described`."""
        return {"members": [each.identity for each in self._answering]}

    @property
    def are_several(self) -> bool:
        """Whether several networks answer, that can disagree."""
        return True

    @property
    def classes(self) -> int:
        """Classes that an answer can have."""
        return self._answering[0].classes

    @property
    def seed(self) -> int:
        """Of the training of the first."""
        return self._answering[0].seed


class _Together:
    def __init__(self, predictors: Sequence[OfMembers]) -> None:
        self.prediction = predictors[0].prediction
        self.members = [member for each in predictors for member in each.members]
        self._predictions = [each.prediction for each in predictors]
        for other in self._predictions[1:]:
            _check_alike(self.prediction, other)

    def __call__(self, image: Image, region: Region) -> Outcome:
        """The classes of an image."""
        return self.several([image], [region], together=1)[0]

    def several(
        self, images: Sequence[Image], regions: Sequence[Region], *, together: int
    ) -> list[Outcome]:
        """The classes of images of one size."""
        for image in images:
            self._check(image)
        return [
            replace(
                self.prediction.outcome(maps, region),
                uncertainty=partial(self._uncertainty, image, region),
            )
            for maps, image, region in zip(
                self._means(images, together), images, regions, strict=True
            )
        ]

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images of a size go together."""
        return self.prediction.at_once(self.members, size)

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """The classes of a scene, window by window."""
        self._check(scene)
        return self.prediction.scene_outcome(self.members, scene)

    def _check(self, image: Image | Scene) -> None:
        for prediction in self._predictions:
            prediction.check(image)

    def _means(self, images: Sequence[Image], together: int) -> list[Maps]:
        """The mean probabilities of all networks for each image."""
        each = (
            self.prediction.several_probabilities(member, images, together=together)
            for member in self.members
        )
        means = next(each)
        for found in each:
            for total, maps in zip(means, found, strict=True):
                total += maps
        for total in means:
            total /= np.float32(len(self.members))
        return means

    def _each(self, image: Image) -> Iterator[Maps]:
        return (self.prediction.probabilities(member, image) for member in self.members)

    def _uncertainty(self, image: Image, region: Region) -> Maps:
        """How much the members disagree, in bits; 0 outside the region."""
        bits = disagreement(list(self._each(image)))
        return bits if region is None else np.where(region, bits, np.float32(0))


def _of_members(answering: Answering) -> OfMembers:
    predictor: object = answering._predictor
    if not isinstance(predictor, OfMembers):
        raise UsageError(
            f"{answering.method} learned components and not classes, so it has no probabilities to "
            "take the mean of: give runs that learned from masks"
        )
    return predictor


def _check_alike(first: ClassPrediction, other: ClassPrediction) -> None:
    """Refuse to take the mean of what means other things."""
    if first.classes != other.classes:
        raise InputError(
            f"{other.folder} learned the classes {_listed(other.classes)} and {first.folder} "
            f"{_listed(first.classes)}: only runs of the same classes can answer together"
        )
    if first.channels != other.channels:
        raise InputError(
            f"{other.folder} learned on {other.channels} channels and {first.folder} on "
            f"{first.channels}: only runs of the same kind of images can answer together"
        )


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
