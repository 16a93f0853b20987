"""What a run is worth: its predictions for a data set against the truth, at native size."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images import Image
from segmint.metrics.confusion import Confusion
from segmint.recipes.run import Run

if TYPE_CHECKING:
    from segmint.datasets.dataset import Dataset
    from segmint.datasets.sample import Sample


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


def score_run(
    run: Run,
    dataset: Dataset,
    *,
    advance: Callable[[str], None] | None = None,
    keep: Callable[[int, NDArray[np.int32]], None] | None = None,
) -> RunScores:
    """Predict every image of a data set and count against its truth.

    Args:
        run: learned on the same classes.
        dataset: one split of it.
        advance: called with the name of each image that is done.
        keep: called with the number of each image in the data set and its labels (H, W).

    Raises:
        InputError: for another number or order of classes, or an image that cannot be read.
    """
    name = run.peer or str(run.record["recipe"])

    def ask(image: Image, region: NDArray[np.bool_] | None) -> dict[str, NDArray[np.int32]]:
        return {name: run.predict(image, region=region)}

    def tell(index: int, labels: dict[str, NDArray[np.int32]]) -> None:
        if keep is not None:
            keep(index, labels[name])

    return _score(run, dataset, (name,), ask, advance=advance, keep=tell)[name]


def score_peers(
    run: Run,
    dataset: Dataset,
    *,
    advance: Callable[[str], None] | None = None,
    keep: Callable[[int, dict[str, NDArray[np.int32]]], None] | None = None,
) -> dict[str, RunScores]:
    """As :func:`score_run`, of every peer and every ensemble of a run at once.

    Each network is computed once an image, and the seconds of each are those of all together. A
    run with one network has one entry, the name of its recipe.

    Args:
        run: learned on the same classes.
        dataset: one split of it.
        advance: called with the name of each image that is done.
        keep: called with the number of each image in the data set and its labels (H, W) by name.

    Raises:
        InputError: for another number or order of classes, or an image that cannot be read.
    """
    names = run.peers or (str(run.record["recipe"]),)

    def ask(image: Image, region: NDArray[np.bool_] | None) -> dict[str, NDArray[np.int32]]:
        return run.answers(image, region=region)

    return _score(run, dataset, names, ask, advance=advance, keep=keep)


def _score(
    run: Run,
    dataset: Dataset,
    names: tuple[str, ...],
    ask: Callable[[Image, NDArray[np.bool_] | None], dict[str, NDArray[np.int32]]],
    *,
    advance: Callable[[str], None] | None,
    keep: Callable[[int, dict[str, NDArray[np.int32]]], None] | None,
) -> dict[str, RunScores]:
    """The scores of each of those who are asked."""
    _check_classes(run, dataset)
    totals = {name: np.zeros((len(dataset.classes),) * 2, np.int64) for name in names}
    images: dict[str, dict[str, Confusion]] = {name: {} for name in names}
    seconds = 0.0
    for index, sample in enumerate(dataset):
        start = time.perf_counter()
        labels = ask(image_of(sample, dataset), sample.region)
        seconds += time.perf_counter() - start
        for name in names:
            counts = _counts(labels[name], sample.mask, len(dataset.classes), dataset.ignore_index)
            totals[name] += counts
            images[name][sample.name] = _confusion(counts)
        if keep is not None:
            keep(index, labels)
        if advance is not None:
            advance(sample.name)
    return {
        name: RunScores(
            classes=dataset.classes,
            confusion=_confusion(totals[name]),
            images=images[name],
            seconds=seconds / max(len(dataset), 1),
        )
        for name in names
    }


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
