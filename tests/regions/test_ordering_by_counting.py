"""Numbers by area, by tables and by sorting alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmint.regions.ordering import counted_ids, order_by_area

SMALL = arrays(
    st.sampled_from([np.int32, np.int64, np.int16, np.uint8]),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.integers(0, 5),
)


def by_definition(labels: np.ndarray) -> list[int]:
    """Former labels, from the largest, those of equal area by their first pixel."""
    flat = labels.ravel().tolist()
    ids = {label for label in flat if label >= 0}
    return sorted(ids, key=lambda label: (-flat.count(label), flat.index(label)))


@given(SMALL, st.sampled_from([0, 1, 2**21]), st.booleans())
def test_numbers_are_those_of_the_definition(labels: np.ndarray, far: int, outside: bool) -> None:
    if labels.dtype.kind == "i" and outside:
        labels = labels - labels.dtype.type(2)
    if labels.dtype.itemsize >= 4:
        labels = np.where(labels == 3, labels.dtype.type(3 + far), labels)
    former = by_definition(labels)
    ordered, found = order_by_area(labels)
    assert (found.tolist(), found.dtype, ordered.dtype) == (former, np.int64, np.int32)
    numbers = {label: number for number, label in enumerate(former)}
    expected = [numbers.get(label, -1) for label in labels.ravel().tolist()]
    assert ordered.ravel().tolist() == expected
    ids, counts = counted_ids(labels)
    assert ids.tolist() == sorted(former)
    assert counts.tolist() == [labels.ravel().tolist().count(label) for label in sorted(former)]


def test_nothing_inside() -> None:
    ordered, former = order_by_area(np.full((2, 3), -1, np.int32))
    assert ordered.tolist() == [[-1] * 3] * 2
    assert former.size == 0
