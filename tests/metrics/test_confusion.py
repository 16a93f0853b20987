from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from segmint.errors import InputError, UsageError
from segmint.metrics import confusion

PAIRS = st_numpy.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5).flatmap(
    lambda shape: st.tuples(
        st_numpy.arrays(np.int64, shape, elements=st.integers(0, 4)),
        st_numpy.arrays(np.uint8, shape, elements=st.integers(0, 4)),
    )
)


@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pair):
    from sklearn import metrics

    labels, mask = pair[0].ravel(), pair[1].ravel()
    matrix = confusion(*pair, classes=5)
    assert (
        matrix.counts.tolist() == metrics.confusion_matrix(mask, labels, labels=range(5)).tolist()
    )
    assert matrix.accuracy == pytest.approx(metrics.accuracy_score(mask, labels))
    present = sorted({*labels.tolist(), *mask.tolist()})
    iou = metrics.jaccard_score(mask, labels, labels=present, average=None, zero_division=0)
    dice = metrics.f1_score(mask, labels, labels=present, average=None, zero_division=0)
    assert matrix.intersection_over_union[present] == pytest.approx(iou)
    assert matrix.dice[present] == pytest.approx(dice)
    assert matrix.mean_iou == pytest.approx(iou.mean())
    assert matrix.mean_dice == pytest.approx(dice.mean())
    assert matrix.classes_counted == len(present)
    absent = np.setdiff1d(np.arange(5), present)
    assert np.isnan(matrix.intersection_over_union[absent]).all()
    assert confusion(*pair).classes == tuple(present)


def test_label_without_a_class_is_wrong_everywhere():
    matrix = confusion([[0, 0, 1, 2]], [[5, 5, 5, 6]], matching={0: 5, 2: 6})
    assert matrix.classes == (5, 6)
    assert matrix.counts.tolist() == [[2, 0], [0, 1]]
    assert matrix.unmatched.tolist() == [1, 0]
    assert matrix.accuracy == 0.75
    assert matrix.intersection_over_union.tolist() == [2 / 3, 1.0]


def test_class_that_was_not_named_is_refused():
    with pytest.raises(InputError, match=r"holds label 7, but there are 4 classes \(0\.\.3\)"):
        confusion([[0, 0]], [[0, 7]], classes=4)
    with pytest.raises(UsageError, match="1 or more"):
        confusion([[0, 0]], [[0, 7]], classes=0)


def test_nothing_counted_is_nan():
    matrix = confusion([[0]], [[255]], classes=2)
    assert np.isnan([matrix.accuracy, matrix.mean_iou, matrix.mean_dice]).all()
    assert matrix.classes_counted == 0
