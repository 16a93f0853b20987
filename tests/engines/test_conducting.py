"""A collection from its first image to its last: what is done, kept, told and raised."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from conducting_example import WorkersHere, finish, header_of, items_of
from simulated_workers import Fate, SimulatedWorkers

from segmint.engines import staff
from segmint.engines.conducting import conduct
from segmint.engines.item import Item
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_lines import read_manifest
from segmint.engines.outcome import Outcome
from segmint.engines.progress_line import ProgressLine
from segmint.engines.tally import OTHER, Tally
from segmint.engines.workers import Event, Reported, Retired, Workers
from segmint.errors import OutputError


@pytest.fixture(autouse=True, scope="module")
def _without_rests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "BETWEEN_LOOKS", 0.0)
        yield


def failing(item: Item) -> Outcome:
    return Outcome(number=item.number, state="failed", sentence=f"{item.image} is empty")


def conducted(
    out: Path, items: Sequence[Item], workers: Workers, told: list[str] | None = None
) -> Tally:
    with Manifest.open(out, header_of(items), items) as manifest:
        told = [] if told is None else told
        return conduct(items, workers, manifest, most=4, tell=told.append)


def test_every_image_is_done_and_then_none(tmp_path: Path) -> None:
    items = items_of(30)
    workers = WorkersHere(lambda item: finish(tmp_path, item))
    tally = conducted(tmp_path, items, workers)
    assert (tally.total, tally.done, tally.before, tally.unreached) == (30, 30, 0, 0)
    tally = conducted(tmp_path, items, workers)
    assert (tally.total, tally.done, tally.before, tally.finished) == (30, 0, 30, 30)
    assert set(workers.begun.values()) == {1}


def test_states_are_counted_and_the_first_failures_told(tmp_path: Path) -> None:
    def do(item: Item) -> Outcome:
        if item.number % 2:
            return failing(item)
        told = {OTHER: item.number % 4 == 0}
        return Outcome(number=item.number, state="skipped", told=told)

    told: list[str] = []
    tally = conducted(tmp_path, items_of(60), WorkersHere(do), told)
    assert (tally.done, tally.failed, tally.skipped, tally.other) == (0, 30, 30, 15)
    assert told[:2] == ["1.png is empty", "3.png is empty"]
    assert told[20:] == [f"... and 10 more failed, all in {tmp_path / 'manifest.jsonl'}"]


def test_it_is_watched_from_the_beginning_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []
    items = items_of(5)

    def watch(line: ProgressLine) -> None:
        seen.append((line.tally.finished, line.is_over))

    workers = WorkersHere(lambda item: finish(tmp_path, item))
    with Manifest.open(tmp_path, header_of(items), items) as manifest:
        conduct(items, workers, manifest, watch=watch)
    assert seen == [*((count, False) for count in range(6)), (5, True)]


@given(seed=st.integers(0, 2**32 - 1), losses=st.integers(0, 4))
def test_whatever_befalls_workers_each_image_has_one_line(
    tmp_path_factory: pytest.TempPathFactory, seed: int, losses: int
) -> None:
    out = tmp_path_factory.mktemp("out")
    fate = Fate(poisonous=frozenset({3, 17}), losses=losses)
    tally = conducted(out, items_of(40), SimulatedWorkers(seed, room=3, fate=fate))
    lines = list(read_manifest(out / "manifest.jsonl"))
    assert sorted(line["number"] for line in lines) == list(range(40))
    assert {line["number"] for line in lines if line["state"] == "failed"} == {3, 17}
    assert (tally.done, tally.failed) == (38, 2)


def test_no_more_items_are_held_than_are_under_way(tmp_path: Path) -> None:
    taken = [0]
    items = items_of(1000)

    class Counted(list[Item]):
        def __iter__(self) -> Iterator[Item]:
            for item in items:
                taken[0] += 1
                yield item

    most = [0]

    def watch(line: ProgressLine) -> None:
        most[0] = max(most[0], taken[0] - line.tally.finished)

    workers = WorkersHere(lambda item: Outcome(number=item.number, state="done"))
    with Manifest.open(tmp_path, header_of(items), items) as manifest:
        conduct(Counted(), workers, manifest, most=4, watch=watch)
    assert taken[0] == 1000
    assert most[0] <= 16


class Stopped(WorkersHere):
    """Stopped in the middle, when more has been told than was listened to."""

    def __init__(self, out: Path, stop: BaseException | None) -> None:
        super().__init__(lambda item: finish(out, item))
        self._stop, self._untold = stop, list[Event]()

    def events(self, timeout: float) -> Sequence[Event]:
        if self.begun.total() == 5:
            while self._waiting:
                self._untold.append(self.do_next())
            if self._stop is not None:
                raise self._stop
            signal.raise_signal(signal.SIGTERM)
        untold, self._untold = self._untold, []
        return untold or super().events(timeout)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), None])
def test_what_workers_have_told_is_kept_when_it_is_stopped(
    tmp_path: Path, stop: BaseException | None
) -> None:
    items, workers = items_of(40), Stopped(tmp_path, stop)
    with pytest.raises(KeyboardInterrupt) as caught:
        conducted(tmp_path, items, workers)
    sentence = "stopped: what is finished is kept; run the same command again to go on"
    assert str(caught.value) == sentence
    done = len(list(tmp_path.glob("*/result.json")))
    assert 5 < done < 40
    assert len(list(read_manifest(tmp_path / "manifest.jsonl"))) == done
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert conducted(tmp_path, items, workers).before == done
    assert set(workers.begun.values()) == {1}


def test_a_command_that_did_all_again_goes_on_without(tmp_path: Path) -> None:
    items = items_of(40)
    with Manifest.open(tmp_path, header_of(items), items, overwrite=True) as manifest:
        stopped = pytest.raises(KeyboardInterrupt, match="again without --overwrite to go on")
        with stopped:
            conduct(items, Stopped(tmp_path, KeyboardInterrupt()), manifest)


def test_where_no_worker_can_write_it_says_what_was_not_reached(tmp_path: Path) -> None:
    class Full(WorkersHere):
        def events(self, timeout: float) -> Sequence[Event]:
            events = super().events(timeout)
            if events and isinstance(events[0], Reported) and self.begun.total() > 10:
                return [Retired(worker=0, error=OutputError("the disk is full"))]
            return events

    items = items_of(40)
    told = pytest.raises(OutputError, match=r"^the disk is full \(\d+ images were not reached\)$")
    with told as caught:
        conducted(tmp_path, items, Full(lambda item: finish(tmp_path, item)))
    kept = len(list(read_manifest(tmp_path / "manifest.jsonl")))
    assert f"({40 - kept} images" in str(caught.value)


def test_a_manifest_that_cannot_be_written_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = items_of(40)
    workers = WorkersHere(lambda item: finish(tmp_path, item))
    with Manifest.open(tmp_path, header_of(items), items) as manifest:
        record, left = manifest.record, iter(range(7))

        def failing_record(item: Item, outcome: Outcome) -> None:
            if next(left, None) is None:
                raise OutputError("cannot write it: the disk is full")
            record(item, outcome)

        monkeypatch.setattr(manifest, "record", failing_record)
        with pytest.raises(OutputError, match=r"the disk is full \(33 images were not reached\)"):
            conduct(items, workers, manifest)
    assert len(list(read_manifest(manifest.path))) == 7
