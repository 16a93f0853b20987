from __future__ import annotations

import pytest

from segmint.app.crew.bounds import Bounds
from segmint.app.options import LimitOptions
from segmint.datasets import available_memory
from segmint.errors import UsageError

GIBIBYTE = 2**30


def test_bounds_are_those_of_the_options() -> None:
    limits = LimitOptions(jobs=3, waiting=7, time_limit=12, max_memory="1500MiB")
    bounds = Bounds.of(limits)
    assert (bounds.jobs, bounds.waiting, bounds.long_seconds) == (3, 7, 12)
    assert bounds.memory == 2 * bounds.kept_memory == 1500 * 2**20


@pytest.mark.parametrize(
    ("available", "jobs", "memory"),
    [
        (13 * GIBIBYTE, 1, 4 * GIBIBYTE),
        (11 * GIBIBYTE, 3, 2 * GIBIBYTE),
        (2 * GIBIBYTE, 4, GIBIBYTE),
        (None, 1, GIBIBYTE),
    ],
)
def test_processes_share_what_is_free(
    monkeypatch: pytest.MonkeyPatch, available: int | None, jobs: int, memory: int
) -> None:
    monkeypatch.setattr(available_memory, "available_memory", lambda: available)
    bounds = Bounds.of(LimitOptions(jobs=jobs))
    assert bounds.memory == memory
    assert bounds.kept_memory == min(GIBIBYTE, memory / 2)


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(UsageError, match="--max-memory is 'much'"):
        Bounds.of(LimitOptions(max_memory="much"))
