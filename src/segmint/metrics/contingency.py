"""The contingency table: how often each label meets each class, the core of every region score.

One pass over the pixels makes the table; every score is then a sum over its nonzero cells, of which
there are few, however large the image. The cells are kept sparse, so that an over-segmentation
into a hundred thousand components costs no more than its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import InputError
from segmint.metrics.values import array_of

IGNORE_INDEX = 255
_DENSE_CELLS = 1 << 22
_LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True, eq=False)
class Contingency:
    """Counts of pixels for each pair of a label (row) and a class of the truth (column).

    Only rows and columns that hold a counted pixel are kept.
    """

    labels: NDArray[np.int64]
    """(A,) label value of each row, ascending; components may share a value."""
    classes: NDArray[np.int64]
    """(B,) class value of each column, ascending."""
    rows: NDArray[np.intp]
    """(M,) row of each nonzero cell; the cells are sorted by column, then by row."""
    columns: NDArray[np.intp]
    """(M,) column of each nonzero cell."""
    cells: NDArray[np.int64]
    """(M,) pixels in each nonzero cell, all at least 1."""

    @cached_property
    def total(self) -> int:
        """Number of counted pixels."""
        return int(self.cells.sum())

    @cached_property
    def row_sizes(self) -> NDArray[np.int64]:
        """(A,) pixels of each label."""
        return _sum_by(self.rows, self.cells, self.labels.size)

    @cached_property
    def column_sizes(self) -> NDArray[np.int64]:
        """(B,) pixels of each class."""
        return _sum_by(self.columns, self.cells, self.classes.size)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(A, B) the table written out, zeros included."""
        dense = np.zeros((self.labels.size, self.classes.size), dtype=np.int64)
        dense[self.rows, self.columns] = self.cells
        return dense

    @cached_property
    def intersection_over_union(self) -> NDArray[np.float64]:
        """(M,) IoU of the label and the class of each nonzero cell, above 0 up to 1."""
        union = self.row_sizes[self.rows] + self.column_sizes[self.columns] - self.cells
        return self.cells / union

    @cached_property
    def best_intersection_over_union(self) -> NDArray[np.float64]:
        """(B,) for each class the best IoU over all labels, above 0 up to 1."""
        if not self.cells.size:
            return np.empty(0)
        starts = np.searchsorted(self.columns, np.arange(self.classes.size))
        best: NDArray[np.float64] = np.maximum.reduceat(self.intersection_over_union, starts)
        return best

    def merged(self) -> Contingency:
        """The table of labels instead of components: rows that share a label value are added."""
        labels, row = np.unique(self.labels, return_inverse=True)
        if labels.size == self.labels.size:
            return self
        return _from_codes(self.columns * labels.size + row[self.rows], self.cells, labels, self)


def contingency(
    labels: ArrayLike, mask: ArrayLike, *, ignore_index: int | None = IGNORE_INDEX
) -> Contingency:
    """Count the pixels of every pair of a label and a class.

    A pixel is left out where ``mask`` is ``ignore_index`` or negative, and where ``labels`` is
    negative, that is outside the region.

    Args:
        labels: (H, W) or (D, H, W) integers, a prediction.
        mask: integers of the same shape, the truth.
        ignore_index: class that is not counted; None counts every class from 0 up.

    Returns:
        The table; it has no rows and no columns when no pixel is counted.

    Raises:
        InputError: for arrays that are not integers, have no pixels, or differ in size.

    Example:
        >>> table = contingency([[0, 0, 7]], [[1, 2, 255]])
        >>> table.labels.tolist(), table.classes.tolist(), table.counts.tolist()
        ([0], [1, 2], [[1, 1]])
    """
    labels = integer_array(labels, "labels")
    mask = integer_array(mask, "mask")
    check_same_size(labels, mask)
    return tabulate(*compact(labels), mask, ignore_index)


def integer_array(values: ArrayLike, what: str) -> NDArray[np.integer]:
    """The values as an array of integers, one for each pixel.

    Args:
        values: (H, W) or (D, H, W) integers or booleans.
        what: what the array is, for the message.

    Raises:
        InputError: for other types or shapes, and for an array without pixels.
    """
    array = array_of(values, what)
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"{what}: the values are {array.dtype}, accepted are integers: "
            "round them and convert with .astype('int32')"
        )
    if array.ndim not in (2, 3) or not array.size:
        raise InputError(
            f"{what}: the shape is {size_text(array)}, accepted is one label for each pixel, "
            "H x W or D x H x W, with at least one pixel"
        )
    if array.dtype == np.uint64 and array.max() > _LARGEST:
        raise InputError(
            f"{what}: the largest value is {array.max()}, accepted are labels up to {_LARGEST}: "
            "number them anew"
        )
    return array


def check_same_size(labels: NDArray[np.integer], mask: NDArray[np.integer], name: str = "") -> None:
    """Raise ``InputError`` with both sizes unless labels and mask have the same shape."""
    if labels.shape != mask.shape:
        of = f" of {name}" if name else ""
        raise InputError(
            f"the labels{of} are {size_text(labels)} and the mask is {size_text(mask)}: both need "
            "the same size in the same order, so resize the labels (nearest neighbor) or choose "
            "the matching mask; several annotators are a list of masks"
        )


def size_text(array: NDArray[np.generic]) -> str:
    """The shape in words of a message, ``321 x 481``."""
    return " x ".join(str(length) for length in array.shape) or "a single number"


def compact(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Number the distinct values 0, 1, ... in ascending order.

    Returns:
        The number of each pixel, (N,), and the value behind each number, (A,) ascending.
    """
    flat = labels.ravel()
    low, span = _range(flat)
    if span > max(flat.size, _DENSE_CELLS):
        values, numbers = np.unique(flat, return_inverse=True)
        return numbers.ravel(), values.astype(np.int64)
    offset = _offset(flat, low)
    present = np.bincount(offset, minlength=span) > 0
    number_of = np.cumsum(present) - 1
    return number_of[offset], np.flatnonzero(present) + low


def tabulate(
    index: NDArray[np.intp],
    values: NDArray[np.int64],
    mask: NDArray[np.integer],
    ignore_index: int | None,
) -> Contingency:
    """The table of compact labels and one mask, so that several masks can share the labels.

    Args:
        index: (N,) row of each pixel, 0 to A - 1.
        values: (A,) label value of each row.
        mask: N integers of any shape.
        ignore_index: class that is not counted, or None.
    """
    flat = mask.ravel()
    low, span = _range(flat)
    limit = max(flat.size, _DENSE_CELLS)
    if span * values.size <= limit:
        column, classes = _offset(flat, low), np.arange(span, dtype=np.int64) + low
    else:
        column, classes = compact(mask)
    codes = column * values.size + index
    if classes.size * values.size <= limit:
        counted = np.bincount(codes)
        found = np.flatnonzero(counted)
        cells = counted[found]
    else:
        found, cells = np.unique(codes, return_counts=True)
    rows, columns = found % values.size, found // values.size
    out = classes[columns] < 0
    out |= values[rows] < 0
    if ignore_index is not None:
        out |= classes[columns] == ignore_index
    return _without_empty(values, classes, rows[~out], columns[~out], cells[~out])


def _range(flat: NDArray[np.integer]) -> tuple[int, int]:
    low = int(flat.min())
    return low, int(flat.max()) - low + 1


def _offset(flat: NDArray[np.integer], low: int) -> NDArray[np.intp]:
    offset = flat.astype(np.intp)
    if low:
        offset -= low
    return offset


def _without_empty(
    labels: NDArray[np.int64],
    classes: NDArray[np.int64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    cells: NDArray[np.int64],
) -> Contingency:
    has_row = np.zeros(labels.size, dtype=bool)
    has_row[rows] = True
    has_column = np.zeros(classes.size, dtype=bool)
    has_column[columns] = True
    return Contingency(
        labels=labels[has_row],
        classes=classes[has_column],
        rows=(np.cumsum(has_row) - 1)[rows],
        columns=(np.cumsum(has_column) - 1)[columns],
        cells=cells.astype(np.int64),
    )


def _from_codes(
    codes: NDArray[np.intp],
    cells: NDArray[np.int64],
    labels: NDArray[np.int64],
    table: Contingency,
) -> Contingency:
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1))
    found = sorted_codes[starts]
    return Contingency(
        labels=labels,
        classes=table.classes,
        rows=found % labels.size,
        columns=found // labels.size,
        cells=np.add.reduceat(cells[order], starts) if starts.size else cells,
    )


def _sum_by(group: NDArray[np.intp], values: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    # Sums in float64 are exact: an image has fewer than 2**53 pixels.
    return np.bincount(group, weights=values, minlength=groups).astype(np.int64)
