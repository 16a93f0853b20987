from __future__ import annotations

import numpy as np
import pytest

from segmint.metrics import Confusion
from segmint.reports.confusion_picture import (
    MOST_CLASSES,
    draw_confusion,
    shares,
    shown_classes,
)


def matrix_of(counts: np.ndarray) -> Confusion:
    return Confusion(
        classes=tuple(range(len(counts))),
        counts=counts,
        unmatched=np.zeros(len(counts), np.int64),
    )


def test_rows_are_shares_of_the_true_class() -> None:
    found = shares(matrix_of(np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])))
    assert found[:2].tolist() == [[0.75, 0.25, 0], [0.25, 0.75, 0]]
    assert np.isnan(found[2]).all()


def test_only_classes_that_occur_are_shown() -> None:
    counts = np.zeros((5, 5), np.int64)
    counts[1, 1], counts[1, 4] = 5, 2
    assert shown_classes(matrix_of(counts)) == [1, 4]


def test_of_many_classes_those_with_the_most_pixels_are_shown() -> None:
    sizes = np.random.default_rng(0).permutation(40) + 1
    shown = shown_classes(matrix_of(np.diag(sizes)))
    assert len(shown) == MOST_CLASSES
    assert sizes[shown].min() == 40 - MOST_CLASSES + 1
    assert shown == sorted(shown)


@pytest.mark.parametrize("count", [1, 3, 16, 30])
def test_a_picture_is_drawn_for_any_number_of_classes(count: int) -> None:
    counts = np.random.default_rng(1).integers(1, 99, (count, count))
    names = [f"a class with quite a long name $x$ {number}" for number in range(count)]
    drawn = draw_confusion(matrix_of(counts), names)
    assert drawn.dtype == np.uint8
    assert drawn.shape[-1] == 3
    assert (drawn == 255).any()
