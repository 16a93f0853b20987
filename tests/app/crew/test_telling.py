"""How an errand's process tells, held against the clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmint.app.crew import telling
from segmint.app.crew.messages import Sign
from segmint.app.crew.telling import SECONDS_BETWEEN, LineTelling
from segmint.app.errand import Telling


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(telling, "time", clock)
    return clock


@pytest.fixture
def line() -> Iterator[tuple[Connection, Connection]]:
    here, there = Pipe()
    yield here, there
    here.close()
    there.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(pauses=st.lists(st.floats(0, 0.5), min_size=1, max_size=30))
def test_no_kind_comes_too_often_and_the_newest_always(
    pauses: list[float], clock: Clock, line: tuple[Connection, Connection]
) -> None:
    clock.now = 100.0
    telling = LineTelling(line[0])
    sent: dict[str, list[tuple[float, int]]] = {"frame": [], "progress": []}

    def hear() -> None:
        while line[1].poll():
            told = line[1].recv()
            step = told.data["iteration" if told.kind == "frame" else "done"]
            sent[told.kind].append((clock.now, step))

    for step, pause in enumerate(pauses):
        clock.now += pause
        tell(telling, step)
        hear()
    for kind, of_kind in sent.items():
        assert of_kind[0] == (100 + pauses[0], 0)
        for (before, _), (after, _) in pairwise(of_kind):
            assert after - before >= SECONDS_BETWEEN[kind]
    telling.flush()
    telling.flush()
    hear()
    for of_kind in sent.values():
        steps = [step for _, step in of_kind]
        assert steps == sorted(set(steps))
        assert steps[-1] == len(pauses) - 1


def tell(telling: Telling, step: int) -> None:
    telling.frame(b"%d" % step, step, None)
    telling.progress(step, None)


def test_a_sign_to_stop_is_heard_once_and_for_all(line: tuple[Connection, Connection]) -> None:
    telling = LineTelling(line[0])
    assert [telling.is_stopped for _ in range(2)] == [False, False]
    line[1].send(Sign.STOP)
    assert [telling.is_stopped for _ in range(2)] == [True, True]
    assert not LineTelling(line[0]).is_stopped


def test_a_broken_line_is_no_sign(line: tuple[Connection, Connection]) -> None:
    line[1].close()
    assert not LineTelling(line[0]).is_stopped
