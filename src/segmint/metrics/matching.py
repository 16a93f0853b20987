"""Matching: which class each unnamed label stands for, found with the truth at hand.

Scores after a matching are an upper bound: the truth chose the names. The ways differ in what a
label may be given, so every score says which was used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import UsageError, nearest
from segmint.metrics.contingency import IGNORE_INDEX, Contingency, contingency

Matching = Literal["hungarian", "hungarian-set", "greedy", "majority", "none"]
MATCHINGS: dict[Matching, str] = {
    "hungarian": "one label a class, most pixels right (Hungarian), each image by itself",
    "hungarian-set": "one label a class, most pixels right (Hungarian), once for the whole set",
    "greedy": "one label a class, pairs taken in order of Dice, each image by itself",
    "majority": "each label to its most frequent class, several may share one, each image",
    "none": "labels are class values already",
}


def match(
    labels: ArrayLike,
    mask: ArrayLike,
    *,
    method: Matching = "hungarian",
    ignore_index: int | None = IGNORE_INDEX,
) -> dict[int, int]:
    """The class that each label stands for.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction; negative is outside the region.
        mask: integers of the same shape, the truth.
        method: ``hungarian`` (Kuhn 1955), at most one label a class and most pixels right;
            ``greedy``, pairs in order of their Dice coefficient (Schwab, Mayr, Haltmeier 2024);
            ``majority``, each label to the class that most of its pixels have; ``hungarian-set``
            and ``none`` are for ``evaluate_many``: for one image the first is ``hungarian``,
            the second leaves every label as it is.
        ignore_index: class of the mask that is not counted, or None.

    Returns:
        Label to class; a label that stands for no class is left out.

    Example:
        >>> match([[4, 4, 9, 9]], [[1, 1, 0, 0]])
        {4: 1, 9: 0}
    """
    table = contingency(labels, mask, ignore_index=ignore_index)
    return match_tables([table], method)[0]


def match_tables(tables: Sequence[Contingency], method: Matching) -> list[dict[int, int]]:
    """The matching of each image of a set, given their tables of labels."""
    check_method(method)
    if method == "hungarian-set":
        shared = _hungarian(*_summed(tables))
        return [shared for _ in tables]
    return [_match_one(table, method) for table in tables]


def check_method(method: str) -> None:
    """Raise ``UsageError`` with the nearest known way unless the way to match is known."""
    if method not in MATCHINGS:
        raise UsageError(f"matching is {method!r}: {nearest(str(method), MATCHINGS)}")


def _match_one(table: Contingency, method: Matching) -> dict[int, int]:
    if method == "none":
        return {label: label for label in table.labels.tolist()}
    if method == "majority":
        return _majority(table)
    if method == "greedy":
        return _greedy(table)
    return _hungarian(table.counts, table.labels, table.classes)


def _hungarian(
    counts: NDArray[np.int64], labels: NDArray[np.int64], classes: NDArray[np.int64]
) -> dict[int, int]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts, maximize=True)
    shared = counts[rows, columns] > 0
    return _named(labels[rows[shared]], classes[columns[shared]])


def _greedy(table: Contingency) -> dict[int, int]:
    sizes = table.row_sizes[table.rows] + table.column_sizes[table.columns]
    order = np.argsort(-table.cells / sizes, kind="stable")
    found: dict[int, int] = {}
    taken: set[int] = set()
    pairs = zip(
        table.labels[table.rows[order]].tolist(),
        table.classes[table.columns[order]].tolist(),
        strict=True,
    )
    for label, value in pairs:
        if label not in found and value not in taken:
            found[label] = value
            taken.add(value)
            if len(taken) == table.classes.size:
                break
    return found


def _majority(table: Contingency) -> dict[int, int]:
    # Ascending, so that the last entry written for a label is its largest cell.
    order = np.argsort(table.cells, kind="stable")
    largest = np.zeros(table.labels.size, dtype=np.intp)
    largest[table.rows[order]] = table.columns[order]
    return _named(table.labels, table.classes[largest] if largest.size else table.classes)


def _summed(
    tables: Sequence[Contingency],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    labels = np.unique(np.concatenate([table.labels for table in tables]))
    classes = np.unique(np.concatenate([table.classes for table in tables]))
    counts = np.zeros((labels.size, classes.size), dtype=np.int64)
    for table in tables:
        rows = np.searchsorted(labels, table.labels)
        columns = np.searchsorted(classes, table.classes)
        counts[rows[table.rows], columns[table.columns]] += table.cells
    return counts, labels, classes


def _named(labels: NDArray[np.int64], classes: NDArray[np.int64]) -> dict[int, int]:
    return dict(zip(labels.tolist(), classes.tolist(), strict=True))
