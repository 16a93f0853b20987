from __future__ import annotations

import tracemalloc

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.regions.ordering import order_by_area

LABELS = arrays.arrays(
    st.sampled_from([np.int32, np.int64, np.int16]),
    arrays.array_shapes(min_dims=1, max_dims=3, max_side=6),
    elements=st.integers(-1, 9),
)


@given(LABELS)
def test_is_a_plain_sort(labels: np.ndarray) -> None:
    flat = labels.ravel().tolist()
    ids = {label for label in flat if label >= 0}
    former = sorted(ids, key=lambda label: (-flat.count(label), flat.index(label)))
    found, found_former = order_by_area(labels)
    expected = [former.index(label) if label >= 0 else -1 for label in flat]
    assert found.ravel().tolist() == expected
    assert found.shape == labels.shape
    assert found.dtype == np.int32
    assert found_former.tolist() == former


@given(LABELS)
def test_twice_is_once(labels: np.ndarray) -> None:
    once, _ = order_by_area(labels)
    twice, former = order_by_area(once)
    np.testing.assert_array_equal(twice, once)
    assert former.tolist() == list(range(len(former)))


def test_any_negative_label_is_outside() -> None:
    found, _ = order_by_area(np.array([-7, 2, -1]))
    assert found.tolist() == [-1, 0, -1]


def test_unsigned_labels() -> None:
    found, former = order_by_area(np.array([[255, 0, 255]], np.uint8))
    assert found.tolist() == [[0, 1, 0]]
    assert former.tolist() == [255, 0]


@pytest.mark.parametrize("shape", [(0,), (2, 3)])
def test_nothing_inside(shape: tuple[int, ...]) -> None:
    found, former = order_by_area(np.full(shape, -1, np.int32))
    assert (found == -1).all()
    assert len(former) == 0


def test_sparse_labels_need_no_large_table() -> None:
    tracemalloc.start()
    found, former = order_by_area(np.array([10_000_000, 5, 5], np.int64))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.tolist() == [1, 0, 0]
    assert former.tolist() == [5, 10_000_000]
    assert peak < 1_000_000
