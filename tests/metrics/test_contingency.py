from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from segmint.errors import InputError
from segmint.metrics import contingency

VALUES = st.sampled_from([-1, 0, 1, 3, 7, 255, 100_000, 2_000_000_000])
ARRAYS = st.tuples(*[st_numpy.arrays(np.int64, (3, 4), elements=VALUES)] * 2)


def counted_one_by_one(labels, mask, ignore_index):
    return Counter(
        (int(label), int(value))
        for label, value in zip(labels.ravel(), mask.ravel(), strict=True)
        if label >= 0 and value >= 0 and value != ignore_index
    )


@given(ARRAYS, st.sampled_from([255, 0, None]))
def test_counts_are_those_of_a_loop_over_pixels(pair, ignore_index):
    table = contingency(*pair, ignore_index=ignore_index)
    expected = counted_one_by_one(*pair, ignore_index)
    found = {
        (int(table.labels[row]), int(table.classes[column])): int(table.counts[row, column])
        for row, column in np.argwhere(table.counts)
    }
    assert found == expected
    assert table.total == sum(expected.values())
    assert table.row_sizes.tolist() == table.counts.sum(axis=1).tolist()
    assert table.column_sizes.tolist() == table.counts.sum(axis=0).tolist()
    assert (table.row_sizes > 0).all() and (table.column_sizes > 0).all()
    assert table.counts.dtype == np.int64


def test_wide_tables_are_counted_by_sorting():
    labels = np.arange(10_000).reshape(100, 100)
    for mask in ((labels * 7) % 1000 + 300, (labels * 7) % 1000 * 5_000_000):
        table = contingency(labels, mask)
        assert table.labels.size == 10_000 and table.classes.size == 1000
        assert table.cells.tolist() == [1] * 10_000


def test_everything_ignored_gives_an_empty_table():
    table = contingency(np.zeros((2, 2), int), np.full((2, 2), 255))
    assert table.counts.shape == (0, 0) and table.total == 0
    assert table.best_intersection_over_union.size == 0


@pytest.mark.parametrize(
    ("labels", "mask", "words"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), "2 x 3 and the mask is 3 x 2"),
        (np.zeros((2, 3)), np.zeros((2, 3), int), "float64"),
        (np.zeros((0, 3), int), np.zeros((0, 3), int), "0 x 3"),
        (np.zeros(3, int), np.zeros(3, int), "shape is 3,"),
    ],
)
def test_unfit_arrays_are_refused_with_what_they_are(labels, mask, words):
    with pytest.raises(InputError, match=words):
        contingency(labels, mask)


def test_booleans_are_two_labels():
    table = contingency(np.array([[True, False]]), np.array([[False, False]]))
    assert table.counts.tolist() == [[1], [1]]


def test_import_is_light():
    code = (
        "import sys, segmint.metrics; "
        "print(sorted({'torch', 'scipy', 'skimage', 'sklearn', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
