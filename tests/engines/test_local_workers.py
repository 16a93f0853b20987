"""Processes of the local engine: what they report, and that none is left, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engine_jobs import TrialJob

from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.local_workers import LocalWorkers
from segmint.engines.outcome import Outcome
from segmint.engines.workers import Event, Opened, Reported
from segmint.errors import InputError, OutputError, SegmintError


def items_of(images: Iterable[str]) -> list[Item]:
    return [Item(number=number, image=image) for number, image in enumerate(images)]


def done(
    images: Iterable[str], *, workers: int = 2, job: TrialJob | None = None, most: int = 16
) -> dict[int, Outcome]:
    with LocalWorkers(job or TrialJob(), workers=workers, seat=Seat()) as processes:
        outcomes = list(dispatch(items_of(images), processes, most=most))
    assert len({outcome.number for outcome in outcomes}) == len(outcomes)
    return {outcome.number: outcome for outcome in outcomes}


def heard(workers: LocalWorkers, enough: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """Events until there are enough, or for half a minute."""
    events: list[Event] = []
    end = time.monotonic() + 30
    while not enough(events) and time.monotonic() < end:
        events += workers.events(1.0)
    assert enough(events)
    return events


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_all_is_done_by_as_many_processes_as_asked_for() -> None:
    found = done(["sleep:0.02"] * 40)
    assert {outcome.state for outcome in found.values()} == {"done"}
    assert len(found) == 40
    assert len({outcome.told["pid"] for outcome in found.values()}) == 2


def test_an_image_that_kills_is_found_and_the_others_are_done() -> None:
    images = ["well"] * 30
    images[17] = "die:11"
    found = done(images)
    assert [number for number, each in found.items() if each.state != "done"] == [17]
    assert found[17].sentence.startswith("die:11 killed its process twice (signal 11): ")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("die:9", "(signal 9), as happens when memory runs out"),
        ("leave:3", "(exit code 3)"),
        ("fault:color", "(KeyError: 'color' in engine_jobs.py:"),
        ("unsendable", "Can't pickle"),
    ],
)
def test_the_reason_is_told(image: str, reason: str) -> None:
    found = done(["well", image, "well"])
    assert [found[number].state for number in range(3)] == ["done", "failed", "done"]
    assert reason in found[1].sentence or reason.lower() in found[1].sentence.lower()


@pytest.mark.parametrize(
    ("opening", "sentence"),
    [
        ("refuse", "^the weights are damaged$"),
        ("fault", "unexpected KeyError: 'weights' in engine_jobs.py"),
    ],
)
def test_a_job_that_cannot_be_opened_ends_it(opening: str, sentence: str) -> None:
    with pytest.raises(SegmintError, match=sentence):
        done(["well"] * 3, job=TrialJob(opening=opening))


def test_workers_that_die_while_they_open_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmint.engines.staff.BETWEEN_LOOKS", 0.01)
    with pytest.raises(SegmintError, match=r"died before they began \(signal 9\): 1 process;"):
        done(["well"] * 3, workers=1, job=TrialJob(opening="die"))


def test_a_full_disk_ends_it() -> None:
    with pytest.raises(OutputError, match="the disk is full"):
        done(["well", "full", "well"], workers=1)


def test_devices_are_given_in_turn_and_to_those_who_follow_the_dead() -> None:
    job = TrialJob()
    with LocalWorkers(job, workers=2, seat=Seat(), devices=("cuda:0", "cuda:1")) as workers:
        first, second = workers.hire(), workers.hire()
        heard(workers, lambda events: sum(isinstance(each, Opened) for each in events) == 2)
        workers.give(first, items_of(["leave:1"]))
        heard(workers, lambda events: len(events) == 1)
        third = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        for worker in (second, third):
            workers.give(worker, items_of(["well"]))
        events = heard(workers, lambda events: len(_numbers(events)) == 2)
    devices = {
        each.worker: each.outcomes[0].told["device"]
        for each in events
        if isinstance(each, Reported) and each.outcomes
    }
    assert devices == {second: "cuda:1", third: "cuda:0"}


def test_what_is_done_is_told_while_the_next_takes_long() -> None:
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        workers.give(worker, items_of(["well", "well", "well", "sleep:60"]))
        told = heard(workers, lambda events: len(_numbers(events)) == 3)
        assert _numbers(told) == [0, 1, 2]


def _numbers(events: Sequence[Event]) -> list[int]:
    return [
        outcome.number
        for event in events
        if isinstance(event, Reported)
        for outcome in event.outcomes
    ]


def test_a_line_on_which_an_interrupt_came_is_not_listened_to_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What would be read next is the middle of a message."""
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        workers.give(worker, items_of(["well"]))

        def interrupted(line: Connection, length: int) -> None:
            os.read(line.fileno(), length)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Connection, "_recv", interrupted)
            workers.events(30.0)
        assert not workers.events(0.1)


def test_quick_ones_share_messages() -> None:
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        workers.give(worker, items_of(["well"] * 5000))
        events = heard(workers, lambda events: len(_numbers(events)) == 5000)
    assert len(events) < 500


def test_more_can_be_given_than_a_line_holds() -> None:
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        for _ in range(2):
            workers.give(worker, items_of(["well" + " " * 100] * 20_000))
        assert len(_numbers(heard(workers, lambda events: len(_numbers(events)) == 40_000)))


@pytest.mark.parametrize("threads", [1, 2])
def test_every_library_has_so_many_threads(threads: int) -> None:
    with LocalWorkers(TrialJob(), workers=1, seat=Seat(threads=threads)) as workers:
        (outcome,) = dispatch(items_of(["threads"]), workers)
    assert set(outcome.told["threads"]) == {threads}


def test_no_half_file_is_left_when_it_is_stopped(tmp_path: Path) -> None:
    half = tmp_path / "half"
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        workers.give(worker, items_of([f"half:{half}"]))
        _wait_until(half.exists)
    assert not half.exists()


def test_a_process_that_is_dismissed_is_gone() -> None:
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        worker = workers.hire()
        heard(workers, lambda events: len(events) == 1)
        workers.give(worker, items_of(["well"]))
        event = heard(workers, lambda events: len(events) > 0)[0]
        assert isinstance(event, Reported)
        workers.dismiss(worker)
        _wait_until(lambda: not is_alive(event.outcomes[0].told["pid"]))
        assert not workers.events(0.0)


DRIVER = """
import sys
sys.path.insert(0, {folder!r})
from engine_jobs import TrialJob
from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.local_workers import LocalWorkers
try:
    items = [Item(number=0, image="well"), Item(number=1, image="half:" + sys.argv[1])]
    with LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        for outcome in dispatch(items, workers):
            print(outcome.told["pid"], flush=True)
except KeyboardInterrupt:
    raise SystemExit(130)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_driver(number: signal.Signals, tmp_path: Path) -> None:
    half = tmp_path / "half"
    script = DRIVER.format(folder=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(half)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        worker = int(driver.stdout.readline())
        _wait_until(half.exists)
        if number == signal.SIGINT:  # a terminal sends it to all of them
            os.killpg(driver.pid, number)
        else:
            driver.send_signal(number)
        driver.wait(20)
        _wait_until(lambda: not is_alive(worker))
        assert driver.stderr.read() == ""
    assert not half.exists()


def _wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    assert happened()


def test_a_fault_of_the_test_itself_leaves_no_process() -> None:
    with pytest.raises(InputError), LocalWorkers(TrialJob(), workers=1, seat=Seat()) as workers:
        outcomes = dispatch(items_of(["well", "sleep:60"]), workers)
        pid = next(outcomes).told["pid"]
        raise InputError("the manifest cannot be written")
    assert not is_alive(pid)
