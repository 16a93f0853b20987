"""What a run is worth: its predictions for a data set against the truth, at native size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.images import Image
from segmint.metrics.confusion import Confusion
from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, LooksAt
from segmint.metrics.protocol_scores import ProtocolScores
from segmint.recipes.protocol_scores import ProtocolChoice, case_of
from segmint.recipes.run import Run

if TYPE_CHECKING:
    from segmint.datasets.dataset import Dataset, Pair
    from segmint.datasets.sample import Sample

Labels: TypeAlias = NDArray[np.int32]
Maps: TypeAlias = NDArray[np.float32]

_Answers: TypeAlias = tuple[dict[str, Labels], dict[str, Maps]]
"""Labels by the name of who was asked, and probabilities where there are any."""

_OF_PROBABILITIES = "calibration"


@dataclass(frozen=True, kw_only=True, eq=False)
class RunScores:
    """Scores of a run on one split of a data set."""

    classes: tuple[str, ...]
    confusion: Confusion
    """Over all images."""
    images: dict[str, Confusion]
    """Of each image by name."""
    seconds: float
    """For each image, prediction alone."""
    protocols: tuple[ProtocolScores, ...] = ()
    """The scores of the field, where they were asked for."""
    without_truth: tuple[str, ...] = ()
    """Names of images whose masks count nowhere, so that they are in no score."""

    def rows(self) -> list[dict[str, Any]]:
        """A row a class: name, pixels of the truth, IoU and Dice, None for absent classes."""
        counts = self.confusion.counts.sum(axis=1)
        return [
            {
                "class": name,
                "pixels": int(pixels),
                "iou": _plain(iou),
                "dice": _plain(dice),
            }
            for name, pixels, iou, dice in zip(
                self.classes,
                counts,
                self.confusion.intersection_over_union,
                self.confusion.dice,
                strict=True,
            )
        ]

    def means(self) -> dict[str, float | None]:
        """Mean IoU, mean Dice and accuracy over the whole set."""
        return _means(self.confusion)

    def image_means(self) -> dict[str, dict[str, float | None]]:
        """The same of each image alone, by its name."""
        return {name: _means(confusion) for name, confusion in self.images.items()}

    @property
    def protocol_rows(self) -> list[ScoreRow]:
        """The rows of all protocols over the whole set."""
        return [row for scores in self.protocols for row in scores.rows()]

    def protocol_values(self) -> dict[str, float | None]:
        """The scores of all protocols over the whole set by their names."""
        return {row.name: _plain(row.value) for row in self.protocol_rows}

    def image_protocol_values(self) -> dict[str, dict[str, float | None]]:
        """The same of each image alone, by its name; images that were not scored have none."""
        found: dict[str, dict[str, float | None]] = {name: {} for name in self.images}
        for scores in self.protocols:
            for name, values in scores.image_values().items():
                found[name] |= values
        return found


def score_run(
    run: Run,
    dataset: Dataset,
    *,
    protocols: Sequence[str] | ProtocolChoice = (),
    advance: Callable[[str], None] | None = None,
    keep: Callable[[int, Labels], None] | None = None,
) -> RunScores:
    """Predict every image of a data set and count against its truth.

    Args:
        run: learned on the same classes.
        dataset: one split of it.
        protocols: names of families of scores that are counted in the same pass, such as
            ``dataset.protocols``.
        advance: called with the name of each image that is done.
        keep: called with the number of each image in the data set and its labels (H, W).

    Raises:
        InputError: for another number or order of classes, or an image that cannot be read or
            scored.
        UsageError: for an unknown protocol.
    """
    name = run.peer or str(run.record["recipe"])
    choice = ProtocolChoice.of(protocols)

    def ask(image: Image, region: NDArray[np.bool_] | None) -> _Answers:
        found = run.segment(image, region=region)
        maps = found.probabilities if choice.names else None
        return {name: found.labels}, {} if maps is None else {name: maps}

    def tell(index: int, labels: dict[str, Labels]) -> None:
        if keep is not None:
            keep(index, labels[name])

    return _score(run, dataset, (name,), ask, choice, advance=advance, keep=tell)[name]


def score_peers(
    run: Run,
    dataset: Dataset,
    *,
    protocols: Sequence[str] | ProtocolChoice = (),
    advance: Callable[[str], None] | None = None,
    keep: Callable[[int, dict[str, Labels]], None] | None = None,
) -> dict[str, RunScores]:
    """As :func:`score_run`, of every peer and every ensemble of a run at once.

    Each network is computed once an image, and the seconds of each are those of all together. A
    run with one network has one entry, the name of its recipe.

    Args:
        run: learned on the same classes.
        dataset: one split of it.
        protocols: as for :func:`score_run`; those of labels, for peers keep no probabilities.
        advance: called with the name of each image that is done.
        keep: called with the number of each image in the data set and its labels (H, W) by name.

    Raises:
        InputError: for another number or order of classes, or an image that cannot be read.
        UsageError: for an unknown protocol, or one of probabilities.
    """
    names = run.peers or (str(run.record["recipe"]),)
    choice = ProtocolChoice.of(protocols)
    if _OF_PROBABILITIES in choice.names:
        raise UsageError(
            f"--protocol {_OF_PROBABILITIES} scores the probabilities of one network, and here "
            "all peers answer at once: score them one after the other, each with --peer"
        )

    def ask(image: Image, region: NDArray[np.bool_] | None) -> _Answers:
        return run.answers(image, region=region), {}

    return _score(run, dataset, names, ask, choice, advance=advance, keep=keep)


class _Tally:
    """What one of those who are asked has scored so far."""

    def __init__(self, dataset: Dataset, choice: ProtocolChoice) -> None:
        self._dataset, self._choice = dataset, choice
        self._total = np.zeros((len(dataset.classes),) * 2, np.int64)
        self._images: dict[str, Confusion] = {}
        self._scorer = choice.scorer()

    def add(self, pair: Pair, sample: Sample, labels: Labels, maps: Maps | None) -> None:
        """Count one image."""
        dataset = self._dataset
        counts = _counts(labels, sample.mask, len(dataset.classes), dataset.ignore_index)
        self._total += counts
        self._images[sample.name] = _confusion(counts)

        def case(looks_at: LooksAt) -> Case:
            return case_of(
                dataset,
                pair,
                sample,
                labels,
                looks_at,
                probabilities=maps,
                spacing=self._choice.spacing,
                strengths=self._choice.strengths,
            )

        self._scorer.add(sample.name, case)

    def scores(self, seconds: float, without_truth: Sequence[str]) -> RunScores:
        """Of all images that were added."""
        return RunScores(
            classes=self._dataset.classes,
            confusion=_confusion(self._total),
            images=self._images,
            seconds=seconds,
            protocols=self._scorer.scores(),
            without_truth=tuple(without_truth),
        )


def _score(
    run: Run,
    dataset: Dataset,
    names: tuple[str, ...],
    ask: Callable[[Image, NDArray[np.bool_] | None], _Answers],
    choice: ProtocolChoice,
    *,
    advance: Callable[[str], None] | None,
    keep: Callable[[int, dict[str, Labels]], None] | None,
) -> dict[str, RunScores]:
    """The scores of each of those who are asked."""
    _check_classes(run, dataset)
    tallies = {name: _Tally(dataset, choice) for name in names}
    without_truth = []
    seconds = 0.0
    for index, (pair, sample) in enumerate(zip(dataset.pairs, dataset, strict=True)):
        start = time.perf_counter()
        labels, maps = ask(image_of(sample, dataset), sample.region)
        seconds += time.perf_counter() - start
        for name, tally in tallies.items():
            tally.add(pair, sample, labels[name], maps.get(name))
        if (sample.mask == dataset.ignore_index).all():
            without_truth.append(sample.name)
        if keep is not None:
            keep(index, labels)
        if advance is not None:
            advance(sample.name)
    seconds /= max(len(dataset), 1)
    return {name: tally.scores(seconds, without_truth) for name, tally in tallies.items()}


def image_of(sample: Sample, dataset: Dataset) -> Image:
    """The image of a sample, as files give it."""
    image = Image.from_array(sample.image, stack=False)
    return replace(image, channel_names=dataset.channel_names)


def _check_classes(run: Run, dataset: Dataset) -> None:
    learned = tuple(run.record.get("classes", ()))
    if not learned:
        raise InputError(
            f"{run.folder} learned components without names, which have no truth: predict images "
            "by 'segmint predict', and score the folder by 'segmint evaluate FOLDER MASKS'"
        )
    if learned != dataset.classes:
        differing = [
            f"{mine!r} for {theirs!r}"
            for mine, theirs in zip(learned, dataset.classes, strict=False)
            if mine != theirs
        ]
        raise InputError(
            f"{run.folder} learned {len(learned)} classes and {dataset.name} has "
            f"{len(dataset.classes)}{f' ({differing[0]})' if differing else ''}, accepted are the "
            "same classes in the same order: give the data set it learned on, or another --dataset"
        )


def _counts(
    labels: NDArray[np.int32], mask: NDArray[np.uint8], classes: int, ignore_index: int
) -> NDArray[np.int64]:
    """(K, K) pixels by true class and predicted class."""
    known = (mask != ignore_index) & (labels >= 0)
    cells = mask[known].astype(np.int64) * classes + labels[known]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _confusion(counts: NDArray[np.int64]) -> Confusion:
    return Confusion(
        classes=tuple(range(len(counts))),
        counts=counts,
        unmatched=np.zeros(len(counts), np.int64),
    )


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _means(confusion: Confusion) -> dict[str, float | None]:
    """Means over the classes present in truth or prediction, and accuracy."""
    return {
        "mean_iou": _plain(confusion.mean_iou),
        "mean_dice": _plain(confusion.mean_dice),
        "accuracy": _plain(confusion.accuracy),
    }
