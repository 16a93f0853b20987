from __future__ import annotations

import itertools
import threading

import pytest
import torch

from segmint.datasets.prefetching import prefetched


def test_all_come_in_order() -> None:
    assert list(prefetched(lambda key: key**2, range(10))) == [k**2 for k in range(10)]
    assert list(prefetched(lambda key: key, [])) == []


def test_it_works_ahead_but_not_without_end() -> None:
    made: list[int] = []
    third = threading.Event()

    def make(key: int) -> int:
        made.append(key)
        if key == 2:
            third.set()
        return key

    stream = prefetched(make, itertools.count(), ahead=2)
    assert next(stream) == 0
    assert third.wait(timeout=10)
    stream.close()
    assert made == [0, 1, 2]


def test_an_error_comes_where_its_result_would() -> None:
    stream = prefetched(lambda key: 1 / (2 - key), range(4))
    assert next(stream) == 0.5
    assert next(stream) == 1.0
    with pytest.raises(ZeroDivisionError):
        next(stream)


def test_it_computes_with_as_many_threads_as_who_takes_the_results() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert list(prefetched(lambda key: torch.get_num_threads(), range(2))) == [3, 3]
    finally:
        torch.set_num_threads(before)
