"""Every score that fits: of one image, and of a set with its means over segments and images.

scores = evaluate(labels, mask)
table = evaluate_many((name, labels, mask) for ...)
for row in table.rows():
    row.name, row.value, row.protocol
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError, UsageError
from segmint.metrics.annotators import checked, mean
from segmint.metrics.best_overlap import SELECTIONS, flat_mean, select
from segmint.metrics.components import components
from segmint.metrics.confusion import Confusion, class_values, confusion_of
from segmint.metrics.contingency import IGNORE_INDEX, Contingency, compact, tabulate
from segmint.metrics.covering import covering_of
from segmint.metrics.information import (
    normalized_mutual_information_of,
    variation_of_information_of,
)
from segmint.metrics.matching import MATCHINGS, Matching, check_method, match_tables
from segmint.metrics.notes import notes_on
from segmint.metrics.rand import adjusted_rand_index_of, rand_index_of

Relabel: TypeAlias = bool | Literal["both"]


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One score of a table."""

    name: str
    """Key of the score, ``best_overlap_all``."""
    value: float
    """The score, NaN where nothing was counted."""
    protocol: str
    """How it was measured, in words, with the number of segments, images or classes."""

    def as_dict(self) -> dict[str, Any]:
        """The row as plain JSON data, NaN as None."""
        return {"name": self.name, "value": _plain(self.value), "protocol": self.protocol}


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionScores:
    """The region scores of one image against one annotator; NaN when no pixel is counted."""

    overlaps: NDArray[np.float64]
    """(B,) best IoU of each segment of the truth, above 0 up to 1."""
    covering: float
    """0 to 1."""
    rand_index: float
    """0 to 1."""
    variation_of_information: float
    """0 or more, in bits."""
    adjusted_rand_index: float
    """-0.5 to 1."""
    normalized_mutual_information: float
    """0 to 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Every score of one image, against one annotator or several."""

    name: str
    """The image or file; may be empty."""
    relabelled: tuple[RegionScores, ...] | None
    """Of the components of the labels, one entry an annotator; None when not asked for."""
    as_given: tuple[RegionScores, ...] | None
    """Of the labels as given, one entry an annotator; None when not asked for."""
    neighbors: int
    """How many neighbors a pixel has in a component: 4, in a stack 6."""
    table: Contingency | None
    """Labels by classes, for the matched scores; None with several annotators."""
    matching: Matching
    """How labels are given classes for IoU, Dice and accuracy."""
    classes: int | tuple[int, ...] | None
    """The classes asked for, or None for those that occur."""
    notes: tuple[str, ...]
    """What a reader of the scores should know."""

    @property
    def n_annotators(self) -> int:
        """Number of annotators."""
        return len(self.relabelled or self.as_given or ())

    def rows(self) -> list[ScoreRow]:
        """All scores with their protocols."""
        return aggregate([self]).rows()

    def as_dict(self) -> dict[str, Any]:
        """All scores as plain JSON data, NaN as None."""
        return {
            "image": self.name,
            "scores": [row.as_dict() for row in self.rows()],
            "notes": list(aggregate([self]).notes),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreTable:
    """Every score of a set of images."""

    images: tuple[Scores, ...]
    """The images in the order given."""
    confusion: Confusion | None
    """Over the whole set after matching; None when an image has several annotators."""
    matching: Matching
    """How labels were given classes for IoU, Dice and accuracy."""
    matchings: tuple[dict[int, int], ...]
    """Label to class for each image; empty when the confusion is None."""
    notes: tuple[str, ...]
    """What a reader of the scores should know."""

    def rows(self) -> list[ScoreRow]:
        """All scores that fit the set, each with its protocol."""
        return self._rows(self.images, self.confusion)

    def image_rows(self) -> list[dict[str, Any]]:
        """One flat mapping an image, for a CSV file: ``image`` and each score, NaN as None.

        Every image has the same keys, those of ``rows``.
        """
        return [
            {"image": image.name}
            | {row.name: _plain(row.value) for row in self._rows([image], matrix)}
            for image, matrix in zip(self.images, self._image_confusions(), strict=True)
        ]

    def as_dict(self) -> dict[str, Any]:
        """The table as plain JSON data, NaN as None."""
        return {
            "n_images": len(self.images),
            "scores": [row.as_dict() for row in self.rows()],
            "matching": self.matching,
            "classes": self._class_rows(),
            "notes": list(self.notes),
            "images": self.image_rows(),
        }

    def _rows(self, images: Sequence[Scores], matrix: Confusion | None) -> list[ScoreRow]:
        several = any(image.n_annotators > 1 for image in self.images)
        rows: list[ScoreRow] = []
        if all(image.relabelled is not None for image in images):
            neighbors = "/".join(str(n) for n in sorted({image.neighbors for image in images}))
            treatment = f"components relabelled ({neighbors}-neighbors)"
            rows += _region_rows([image.relabelled or () for image in images], treatment, several)
        if all(image.as_given is not None for image in images):
            given = [image.as_given or () for image in images]
            rows += _region_rows(given, "labels as given", several, "_as_given")
        if matrix is not None:
            rows += _matched_rows(matrix, self.matching, len(images))
        return rows

    def _image_confusions(self) -> Iterable[Confusion | None]:
        if self.confusion is None:
            yield from [None] * len(self.images)
            return
        for image, matching in zip(self.images, self.matchings, strict=True):
            tables = [image.table] if image.table is not None else []
            present = set(class_values(tables, None, labels_are_classes=True))
            classes = [value for value in self.confusion.classes if value in present]
            yield confusion_of(tables, classes, [matching], [image.name])

    def _class_rows(self) -> list[dict[str, Any]]:
        matrix = self.confusion
        if matrix is None:
            return []
        scores = zip(matrix.classes, matrix.intersection_over_union, matrix.dice, strict=True)
        return [
            {"class": value, "iou": _plain(iou), "dice": _plain(dice)}
            for value, iou, dice in scores
        ]


def evaluate(
    labels: ArrayLike,
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    ignore_index: int | None = IGNORE_INDEX,
    relabel: Relabel = "both",
    matching: Matching = "hungarian",
    classes: int | Sequence[int] | None = None,
    name: str = "",
) -> Scores:
    """Every score of one image that fits its truth.

    IoU, Dice and accuracy need classes that mean something, so they are left out when there are
    several annotators, whose segments have numbers but no names.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        masks: the truth, one array of that shape or a list of them, one for each annotator.
        ignore_index: class of the mask that is not counted, or None to count every class.
        relabel: region scores of the labels' connected components (True), as published figures
            have them, of the labels as given (False), or both; IoU, Dice and accuracy are always
            of the labels as given.
        matching: how labels are given classes: ``hungarian``, ``hungarian-set``, ``greedy``,
            ``majority``, or ``none`` where labels are class values already.
        classes: the class values, or their number; None takes those that occur.
        name: the image or file, for messages and tables.

    Raises:
        InputError: for arrays that are not integers, have no pixels, or differ in size.
        UsageError: for an unknown matching or relabel.

    Example:
        >>> scores = evaluate([[0, 0, 1, 1]], [[3, 3, 5, 5]], relabel=False)
        >>> [(row.name, row.value) for row in scores.rows()][-3:]
        [('mean_iou', 1.0), ('mean_dice', 1.0), ('accuracy', 1.0)]
    """
    check_method(matching)
    if relabel not in (True, False, "both"):
        raise UsageError(f"relabel is {relabel!r}, accepted are True, False and 'both'")
    array, truths = checked(labels, masks, name)
    index, values = compact(array) if relabel is False else components(array)
    tables = [tabulate(index, values, truth, ignore_index) for truth in truths]
    merged = [table.merged() for table in tables]
    return Scores(
        name=name,
        relabelled=None if relabel is False else _region_scores(tables),
        as_given=None if relabel is True else _region_scores(merged),
        neighbors=2 * array.ndim,
        table=merged[0] if len(merged) == 1 else None,
        matching=matching,
        classes=classes if classes is None or isinstance(classes, int) else tuple(classes),
        notes=tuple(notes_on(array, merged, truths, ignore_index, name)),
    )


def evaluate_many(
    pairs: Iterable[tuple[str, ArrayLike, ArrayLike | Sequence[ArrayLike]]],
    *,
    ignore_index: int | None = IGNORE_INDEX,
    relabel: Relabel = "both",
    matching: Matching = "hungarian",
    classes: int | Sequence[int] | None = None,
) -> ScoreTable:
    """Every score of a set of images; the images are read one by one and not kept.

    Args:
        pairs: name, labels and mask (or list of annotators' masks) of each image, as
            ``evaluate`` takes them.
        ignore_index: class of the masks that is not counted, or None to count every class.
        relabel: region scores of components (True), as given (False), or both; see ``evaluate``.
        matching: how labels are given classes; see ``evaluate``.
        classes: the class values, or their number; None takes those that occur in the set.

    Returns:
        The table. Best overlap is a flat mean over segments; covering, Rand indices, VOI and NMI
        are means over images; IoU, Dice and accuracy are of one confusion matrix over the set.

    Raises:
        InputError: for an image whose arrays do not fit, with its name, or when there is none.
        UsageError: for an unknown matching or relabel.
    """
    return aggregate(
        [
            evaluate(
                labels,
                masks,
                ignore_index=ignore_index,
                relabel=relabel,
                matching=matching,
                classes=classes,
                name=name,
            )
            for name, labels, masks in pairs
        ]
    )


def aggregate(scores: Sequence[Scores]) -> ScoreTable:
    """The table of images scored one by one, with the same settings, perhaps in many processes.

    Raises:
        InputError: when there is no image, or a mask holds a class that was not named.
    """
    if not scores:
        raise InputError("there is no image to score: give at least one pair of labels and mask")
    tables = [image.table for image in scores if image.table is not None]
    names = [image.name for image in scores]
    notes = [note for image in scores for note in image.notes]
    method = scores[0].matching
    matrix = None
    matchings: list[dict[int, int]] = []
    if len(tables) == len(scores):
        classes = class_values(tables, scores[0].classes, labels_are_classes=method == "none")
        matchings = match_tables(tables, method)
        matrix = confusion_of(tables, classes, matchings, names)
    else:
        notes.append(
            "IoU, Dice and accuracy are left out: the segments of several annotators have no "
            "class names"
        )
    return ScoreTable(
        images=tuple(scores),
        confusion=matrix,
        matching=method,
        matchings=tuple(matchings),
        notes=tuple(dict.fromkeys(notes)),
    )


def _region_rows(
    images: Sequence[tuple[RegionScores, ...]], treatment: str, several: bool, suffix: str = ""
) -> Iterable[ScoreRow]:
    """Best overlap as flat means over segments, then the scores that are means over images."""
    for selection in SELECTIONS if several else SELECTIONS[:1]:
        chosen = [select([entry.overlaps for entry in image], selection) for image in images]
        segments = [values for image in chosen for values in image]
        over = _count(sum(values.size for values in segments), "segment")
        of = _count(sum(1 for image in chosen if image), "image")
        words = f"best-overlap mIoU{_OF_ANNOTATORS[selection] if several else ''}"
        yield ScoreRow(
            name=f"best_overlap_{selection}{suffix}",
            value=flat_mean(segments),
            protocol=f"{words}, {treatment}, flat mean over {over} of {of}",
        )
    for name, (words, _) in _TABLE_SCORES.items():
        if several and name == "rand_index":
            words = "probabilistic Rand index (PRI)"
        values = [mean([getattr(entry, name) for entry in image]) for image in images]
        over = _count(sum(not math.isnan(value) for value in values), "image")
        annotators = "mean over annotators, " if several else ""
        yield ScoreRow(
            name=name + suffix,
            value=mean(values),
            protocol=f"{words}, {treatment}, {annotators}mean over {over}",
        )


def _matched_rows(matrix: Confusion, matching: Matching, n_images: int) -> Iterable[ScoreRow]:
    """The scores of one confusion matrix."""
    counted = _count(matrix.classes_counted, "class", "classes")
    how = f"one confusion matrix over {_count(n_images, 'image')}, labels as given"
    how += f", matching {matching}: {MATCHINGS[matching]}"
    for name, value, words in (
        ("mean_iou", matrix.mean_iou, f"IoU, mean over {counted}"),
        ("mean_dice", matrix.mean_dice, f"Dice, mean over {counted}"),
        ("accuracy", matrix.accuracy, "share of pixels right"),
    ):
        yield ScoreRow(name=name, value=value, protocol=f"{words}, {how}")


def _region_scores(tables: Iterable[Contingency]) -> tuple[RegionScores, ...]:
    return tuple(
        RegionScores(
            overlaps=table.best_intersection_over_union,
            **{name: score(table) for name, (_, score) in _TABLE_SCORES.items()},
        )
        for table in tables
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


_OF_ANNOTATORS = {
    "all": " over every annotator",
    "fine": " over the annotator with most segments",
    "coarse": " over the annotator with fewest segments",
}
_TABLE_SCORES: dict[str, tuple[str, Callable[[Contingency], float]]] = {
    "covering": ("covering of the truth", covering_of),
    "rand_index": ("Rand index", rand_index_of),
    "variation_of_information": ("VOI in bits", variation_of_information_of),
    "adjusted_rand_index": ("adjusted Rand index", adjusted_rand_index_of),
    "normalized_mutual_information": (
        "NMI (arithmetic mean of entropies)",
        normalized_mutual_information_of,
    ),
}
