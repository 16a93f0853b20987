"""The confusion matrix over classes, and the IoU, Dice and accuracy that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError, UsageError
from segmint.metrics.contingency import IGNORE_INDEX, Contingency, contingency


@dataclass(frozen=True, kw_only=True, eq=False)
class Confusion:
    """Pixels of each class by what was predicted, of one image or a set.

    A class absent from both truth and prediction has the score NaN and is left out of the means;
    ``classes_counted`` says how many are in.
    """

    classes: tuple[int, ...]
    """Class of each row and column."""
    counts: NDArray[np.int64]
    """(C, C) pixels: row is the true class, column the predicted one."""
    unmatched: NDArray[np.int64]
    """(C,) pixels of each true class whose label stands for none of the classes: all wrong."""

    @property
    def intersection_over_union(self) -> NDArray[np.float64]:
        """(C,) IoU of each class, 0 to 1 or NaN."""
        return _ratio(self._hits, self._true + self._predicted - self._hits)

    @property
    def dice(self) -> NDArray[np.float64]:
        """(C,) Dice coefficient of each class, 0 to 1 or NaN."""
        return _ratio(2 * self._hits, self._true + self._predicted)

    @property
    def accuracy(self) -> float:
        """Share of the pixels whose predicted class is right, 0 to 1 or NaN."""
        return float(_ratio(self._hits.sum(), self._true.sum()))

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes present in truth or prediction."""
        return _mean(self.intersection_over_union)

    @property
    def mean_dice(self) -> float:
        """Mean Dice coefficient over the classes present in truth or prediction."""
        return _mean(self.dice)

    @property
    def classes_counted(self) -> int:
        """Number of classes in the means."""
        return int(np.count_nonzero(self._true + self._predicted))

    @property
    def _hits(self) -> NDArray[np.int64]:
        return np.diagonal(self.counts)

    @property
    def _true(self) -> NDArray[np.int64]:
        true: NDArray[np.int64] = self.counts.sum(axis=1) + self.unmatched
        return true

    @property
    def _predicted(self) -> NDArray[np.int64]:
        predicted: NDArray[np.int64] = self.counts.sum(axis=0)
        return predicted


def confusion(
    labels: ArrayLike,
    mask: ArrayLike,
    *,
    classes: int | Sequence[int] | None = None,
    matching: Mapping[int, int] | None = None,
    ignore_index: int | None = IGNORE_INDEX,
) -> Confusion:
    """Count the pixels of each true class by predicted class.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        mask: integers of the same shape, the truth.
        classes: the class values, or their number (0, 1, ...); None takes those that occur in
            the mask and, without a matching, in the labels.
        matching: label to class, as ``match`` returns; without it a label is its class.
        ignore_index: class of the mask that is not counted, or None.

    Raises:
        InputError: for a class in the mask that is not among ``classes``.

    Example:
        >>> matrix = confusion([[0, 0, 1, 1]], [[0, 1, 1, 255]], classes=3)
        >>> matrix.counts.tolist()
        [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
        >>> matrix.mean_iou, matrix.classes_counted  # class 2 is absent from both
        (0.5, 2)
    """
    table = contingency(labels, mask, ignore_index=ignore_index)
    if matching is None:
        matching = {label: label for label in table.labels.tolist()}
        values = class_values([table], classes, labels_are_classes=True)
    else:
        values = class_values([table], classes, labels_are_classes=False)
    return confusion_of([table], values, [matching], [""])


def class_values(
    tables: Sequence[Contingency],
    classes: int | Sequence[int] | None,
    *,
    labels_are_classes: bool,
) -> tuple[int, ...]:
    """The classes of a set: those given, or all that occur in its tables, ascending."""
    if isinstance(classes, int):
        if classes < 1:
            raise UsageError(f"classes is {classes}, accepted is 1 or more")
        return tuple(range(classes))
    if classes is not None:
        return tuple(dict.fromkeys(int(value) for value in classes))
    found: set[int] = set()
    for table in tables:
        found.update(table.classes.tolist())
        if labels_are_classes:
            found.update(table.labels.tolist())
    return tuple(sorted(found))


def confusion_of(
    tables: Sequence[Contingency],
    classes: Sequence[int],
    matchings: Sequence[Mapping[int, int]],
    names: Sequence[str],
) -> Confusion:
    """One confusion matrix of the tables of a set.

    Args:
        tables: labels by classes of each image.
        classes: the class values.
        matchings: label to class for each image; a label not in it stands for none.
        names: the images or files, for messages.

    Raises:
        InputError: for a class in a table that is not among ``classes``.
    """
    place = {value: position for position, value in enumerate(classes)}
    nowhere = len(classes)
    counts = np.zeros((nowhere, nowhere + 1), dtype=np.int64)
    for table, matching, name in zip(tables, matchings, names, strict=True):
        _check_classes(table, classes, name)
        named = [place.get(matching.get(label, -1), nowhere) for label in table.labels.tolist()]
        predicted = np.array(named, dtype=np.intp)[table.rows]
        true_place = [place[value] for value in table.classes.tolist()]
        true = np.array(true_place, dtype=np.intp)[table.columns]
        np.add.at(counts, (true, predicted), table.cells)
    return Confusion(
        classes=tuple(classes), counts=counts[:, :nowhere], unmatched=counts[:, nowhere]
    )


def _check_classes(table: Contingency, classes: Sequence[int], name: str) -> None:
    unknown = set(table.classes.tolist()).difference(classes)
    if unknown:
        value = min(unknown)
        raise InputError(
            f"mask{f' of {name}' if name else ''} holds label {value}, but there are "
            f"{len(classes)} classes ({_class_range(classes)}): pass ignore_index={value}, "
            "relabel the mask or name all classes"
        )


def _class_range(classes: Sequence[int]) -> str:
    if list(classes) == list(range(len(classes))):
        return f"0..{len(classes) - 1}"
    return ", ".join(str(value) for value in classes[:8]) + (", ..." if len(classes) > 8 else "")


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Part over whole, NaN where the whole is 0."""
    ratio: NDArray[np.float64] = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=ratio, where=np.asarray(whole) > 0)
    return ratio


def _mean(values: NDArray[np.float64]) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")
