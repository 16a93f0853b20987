"""Whatever happens to workers: one outcome for each item, and no more work at once than agreed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from simulated_workers import GIVEN, Fate, SimulatedWorkers

from segmint.engines import staff
from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.engines.workers import Died, Event, Opened, Refused, Reported
from segmint.errors import InputError, OutputError, SegmintError

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, scope="module")
def _without_rests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "BETWEEN_LOOKS", 0.0)
        yield


def items_of(count: int) -> list[Item]:
    return [Item(number=number, image=f"{number}.png", name=str(number)) for number in range(count)]


def states(outcomes: Sequence[Outcome]) -> dict[int, str]:
    counts = Counter(outcome.number for outcome in outcomes)
    assert set(counts.values()) <= {1}, "an item ended twice"
    return {outcome.number: outcome.state for outcome in outcomes}


@given(
    seed=SEEDS,
    count=st.integers(0, 60),
    room=st.integers(1, 5),
    most=st.integers(1, 16),
    poisonous=st.frozensets(st.integers(0, 59), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_poison_fails_after_two_tries_and_all_others_are_done(
    seed: int, count: int, room: int, most: int, poisonous: frozenset[int]
) -> None:
    workers = SimulatedWorkers(seed, room=room, fate=Fate(poisonous=poisonous))
    found = states(list(dispatch(items_of(count), workers, most=most)))
    bad = {number for number in poisonous if number < count}
    assert found == {n: "failed" if n in bad else "done" for n in range(count)}
    assert all(workers.tries[number] <= 2 for number in bad)
    if len(bad) == 1:
        assert workers.tries[next(iter(bad))] == 2
    assert not workers.workers


@given(
    seed=SEEDS,
    count=st.integers(0, 60),
    room=st.integers(3, 6),
    most=st.integers(1, 16),
    fate=st.builds(
        Fate,
        poisonous=st.frozensets(st.integers(0, 59), max_size=3),
        losses=st.integers(0, 4),
        retirements=st.integers(0, 1),
        refusals=st.integers(0, 1),
        stillborn=st.integers(0, 3),
    ),
)
@settings(max_examples=300, deadline=None)
def test_every_item_ends_once_whatever_happens(
    seed: int, count: int, room: int, most: int, fate: Fate
) -> None:
    bad = {number for number in fate.poisonous if number < count}
    workers = SimulatedWorkers(seed, room=room, fate=fate)
    try:
        found = states(list(dispatch(items_of(count), workers, most=most)))
    except InputError:
        assert not workers.was_any_ready
        return
    assert found == {n: "failed" if n in bad else "done" for n in range(count)}
    assert workers.most_at_once <= room


@given(seed=SEEDS, room=st.integers(1, 4), most=st.integers(1, 8), read=st.integers(0, 100))
@settings(max_examples=50, deadline=None)
def test_no_more_is_taken_than_is_on_its_way(seed: int, room: int, most: int, read: int) -> None:
    taken = 0

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            yield Item(number=taken)
            taken += 1

    outcomes = dispatch(endless(), SimulatedWorkers(seed, room=room), most=most)
    for _ in range(read):
        next(outcomes)
    assert taken <= read + 2 * GIVEN * room * most + room


def test_no_more_workers_are_hired_than_have_something_to_do() -> None:
    workers = SimulatedWorkers(0, room=50)
    assert len(list(dispatch(items_of(3), workers))) == 3
    assert workers.hired == 3


def test_suspects_are_done_alone() -> None:
    workers = SimulatedWorkers(5, room=1, fate=Fate(poisonous=frozenset({30})))
    list(dispatch(items_of(64), workers))
    with_poison = [batch for batch in workers.together if 30 in batch]
    assert [len(batch) > 1 for batch in with_poison] == [True, False]


def test_the_sentence_names_the_image_and_what_killed_its_process() -> None:
    workers = SimulatedWorkers(1, room=2, fate=Fate(poisonous=frozenset({1})))
    failed = [each for each in dispatch(items_of(3), workers) if each.state == "failed"]
    assert [each.sentence for each in failed] == [
        "1.png killed its process twice (signal 11): leave it out, or save it anew"
    ]


class Scripted(SimulatedWorkers):
    """Says what the test says, after whatever it was given or asked."""

    def __init__(self, script: Sequence[Sequence[Event]], *, room: int = 1) -> None:
        super().__init__(0, room=room)
        self._script = list(script)

    def give(self, worker: int, items: Sequence[Item]) -> None:
        self.together.append([item.number for item in items])

    def dismiss(self, worker: int) -> None:
        pass

    def events(self, timeout: float) -> Sequence[Event]:
        return self._script.pop(0)


def told(worker: int, *numbers: int) -> Reported:
    outcomes = [Outcome(number=number, state="done") for number in numbers]
    return Reported(worker=worker, outcomes=outcomes, finished=True)


def died(worker: int, reason: str, *, by_itself: bool) -> Died:
    return Died(worker=worker, reason=reason, by_itself=by_itself)


def test_memory_that_runs_out_is_said() -> None:
    script = [
        each
        for worker in range(2)
        for each in ([Opened(worker=worker)], [died(worker, "signal 9", by_itself=True)])
    ]
    (outcome,) = dispatch(items_of(1), Scripted(script))
    assert outcome.sentence == (
        "0.png killed its process twice (signal 9), as happens when memory runs out: give fewer "
        "--workers, or a smaller image"
    )


def test_machines_that_go_are_held_against_an_image_only_the_fifth_time() -> None:
    script = [
        each
        for worker in range(5)
        for each in ([Opened(worker=worker)], [died(worker, "node gone", by_itself=False)])
    ]
    (outcome,) = dispatch(items_of(1), Scripted(script))
    assert outcome.state == "failed"
    assert outcome.sentence.startswith("0.png was begun 5 times and each time the machine was lost")


def test_an_item_that_was_told_of_is_not_suspect() -> None:
    batch: list[Event] = [
        Reported(worker=0, outcomes=[Outcome(number=0, state="done")], finished=False),
        died(0, "signal 11", by_itself=True),
    ]
    script: list[Sequence[Event]] = [
        [Opened(worker=0)],
        batch,
        [Opened(worker=1)],
        [told(1, 1)],
    ]
    workers = Scripted(script)
    assert states(list(dispatch(items_of(2), workers))) == {0: "done", 1: "done"}
    assert workers.together == [[0], [1], [1]]


def test_an_item_of_which_nothing_was_told_fails() -> None:
    (outcome,) = dispatch(items_of(1), Scripted([[Opened(worker=0)], [told(0)], [told(0)]]))
    assert outcome.state == "failed"


def test_what_the_gone_still_say_is_not_heard() -> None:
    script: list[Sequence[Event]] = [
        [Opened(worker=0)],
        [died(0, "node gone", by_itself=False), told(0, 0)],
        [Opened(worker=1)],
        [told(1, 0)],
    ]
    assert len(list(dispatch(items_of(1), Scripted(script)))) == 1


def test_workers_that_cannot_begin_end_it() -> None:
    error = InputError("weights.safetensors is damaged: train again")
    script: list[Sequence[Event]] = [
        [Refused(worker=0, error=error), Refused(worker=1, error=error)]
    ]
    with pytest.raises(InputError, match="damaged"):
        list(dispatch(items_of(9), Scripted(script, room=2)))


def test_one_that_cannot_begin_is_told_of_once_and_left_out() -> None:
    error = InputError("it has another version of segmint")
    script: list[Sequence[Event]] = [
        [Refused(worker=0, error=error), Refused(worker=1, error=error)],
        [Opened(worker=2)],
        [told(2, 0)],
        [told(2, 1)],
        [told(2, 2)],
    ]
    sentences: list[str] = []
    workers = Scripted(script, room=3)
    assert len(list(dispatch(items_of(3), workers, tell=sentences.append))) == 3
    assert sentences == [f"a worker could not begin and is left out: {error}"]
    assert workers.hired == 3


def test_workers_that_die_before_they_begin_end_it() -> None:
    script = [[died(worker, "signal 9", by_itself=True)] for worker in range(5)]
    with pytest.raises(SegmintError, match=r"5 workers in a row .* \(signal 9\): nowhere"):
        list(dispatch(items_of(9), Scripted(script)))


def test_the_last_that_can_write_no_more_ends_it() -> None:
    workers = SimulatedWorkers(3, room=3, fate=Fate(retirements=100))
    with pytest.raises(OutputError, match="full"):
        list(dispatch(items_of(1000), workers))
    assert workers.hired == 3


def test_waits_for_room_and_says_so() -> None:
    rooms = [0, 0, 2]
    workers = SimulatedWorkers(0, room=2)
    workers.room = lambda: rooms.pop(0) if len(rooms) > 1 else rooms[0]  # type: ignore[method-assign]
    sentences: list[str] = []
    assert len(list(dispatch(items_of(20), workers, tell=sentences.append))) == 20
    assert sentences == ["there is no room for a worker yet, waiting for some: nowhere"]
