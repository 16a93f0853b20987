"""What must be said beside scores so that they do not mislead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.contingency import Contingency

_BLACK_AND_WHITE = (0, 255)


def notes_on(
    labels: NDArray[np.integer],
    tables: Sequence[Contingency],
    truths: Sequence[NDArray[np.integer]],
    ignore_index: int | None,
    name: str,
) -> Iterable[str]:
    """What a reader of the scores of one image should know, one sentence each.

    Args:
        labels: (H, W) or (D, H, W), the prediction; negative is outside the region.
        tables: counts of the labels against each annotator.
        truths: the mask of each annotator.
        ignore_index: class that is not counted, or None.
        name: the image or file.
    """
    of = f" of {name}" if name else ""
    yield from _outside_note(labels, truths, ignore_index, of)
    for table, truth in zip(tables, truths, strict=True):
        if not table.total:
            yield f"a mask{of} has no counted pixel and is left out of the means"
        elif ignore_index is not None and _hides_a_class(table, truth, ignore_index):
            yield (
                f"the mask{of} may use {ignore_index} as a class, and it is not counted: pass "
                "ignore_index=None if it is one"
            )


def _outside_note(
    labels: NDArray[np.integer],
    truths: Sequence[NDArray[np.integer]],
    ignore_index: int | None,
    of: str,
) -> Iterable[str]:
    """A prediction that leaves pixels out is scored on the others alone, which must be said.

    Pixels that no mask counts are not missed.
    """
    counted = np.zeros(labels.shape, bool)
    for truth in truths:
        counted |= np.ones_like(counted) if ignore_index is None else truth != ignore_index
    missed = np.count_nonzero(counted & (labels < 0))
    if missed:
        share = missed / np.count_nonzero(counted)
        yield f"{share:.1%} of the pixels{of} lie outside the region and are not counted"


def _hides_a_class(table: Contingency, truth: NDArray[np.integer], ignore_index: int) -> bool:
    """Whether a mask is black and white, or has classes beyond the value that is ignored."""
    kept = [value for value in _BLACK_AND_WHITE if value != ignore_index]
    black_and_white = ignore_index in _BLACK_AND_WHITE and table.classes.tolist() == kept
    beyond = ignore_index > 0 and bool(table.classes[-1] > ignore_index)
    return (black_and_white or beyond) and bool((truth == ignore_index).any())
