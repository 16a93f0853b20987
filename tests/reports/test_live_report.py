from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.recipes.run import Run
from segmint.recipes.training import train
from segmint.reports import live_report as module
from segmint.reports.live_report import LiveReport, live_report

ROW = {"epoch": 1.0, "step": 3.0, "loss": 0.5}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Log:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.epochs: list[str] = []

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        self.steps.append(done)

    def epoch(self, row: object, line: str) -> None:
        self.epochs.append(line)


@pytest.fixture
def folder(cells_run: Run, tmp_path: Path) -> Path:
    """What a training that runs has written, two epochs so far."""
    place = tmp_path / "run"
    shutil.copytree(cells_run.folder, place)
    for name in ("run.json", "network.safetensors", "report.html"):
        (place / name).unlink(missing_ok=True)
    return place


def learn(
    live: LiveReport, clock: Clock, seconds: float, *, done: int = 3, total: int = 60
) -> None:
    """A step and the end of an epoch, so many seconds later."""
    clock.now += seconds
    live.step(done, total, 751.0, 0.5)
    live.epoch(ROW, "epoch 1")


def test_a_page_is_written_while_it_learns(folder: Path) -> None:
    clock, log = Clock(), Log()
    live = LiveReport(folder, log, clock=clock)
    learn(live, clock, 10)
    assert not (folder / "report.html").exists()
    learn(live, clock, 40)
    text = html.unescape((folder / "report.html").read_text())
    assert re.search(r"Unfinished: epoch 2 of 2, 12:31 left \(written at \d\d:\d\d:\d\d\)\.", text)
    assert '<meta http-equiv="refresh" content="30">' in text
    assert "and no step since" in text  # what it says when nobody writes it any more
    assert {"What was asked", "Data", "How it learned"} <= set(
        re.findall(r"<h2>([^<]*)</h2>", text)
    )
    assert live.looked is not None
    assert (log.steps, log.epochs) == ([3, 3], ["epoch 1", "epoch 1"])


def test_pages_are_at_least_half_a_minute_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    live = LiveReport(folder, clock=clock)
    written = watch_pages(monkeypatch, lambda: None)
    for _ in range(200):
        learn(live, clock, 1)
    assert written == [30, 60, 90, 120, 150, 180]
    learn(live, clock, 100, done=60, total=60)
    assert len(written) == 6  # the page of the end comes at once


@given(cost=st.floats(0.01, 20), epoch=st.floats(0.1, 300))
def test_pages_take_under_a_hundredth_of_the_time(cost: float, epoch: float) -> None:
    """But for the first one, of which nobody knows what it takes."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        live = LiveReport("nowhere", clock=clock)

        def spend() -> None:
            clock.now += cost

        written = watch_pages(patch, spend)
        for _ in range(300):
            learn(live, clock, epoch)
    later = cost * (len(written) - 1)
    assert later <= module.MOST_SHARE * (clock.now - 100)


def watch_pages(patch: pytest.MonkeyPatch, work: Callable[[], None]) -> list[float]:
    """Seconds at which pages would be written; nothing is."""
    written: list[float] = []

    def write(live: LiveReport, standing: object) -> None:
        written.append(live._clock() - 100)
        work()

    patch.setattr(LiveReport, "_write_page", write)
    return written


def test_a_page_that_fails_never_ends_a_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    clock = Clock()

    def fail() -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(module, "write_page", lambda *_: fail())
    live = LiveReport(folder, clock=clock, say=said.append)
    for _ in range(5):
        learn(live, clock, 100)
    assert said == ["note: there is no report while it learns (a fault of ours)"]


def test_a_failure_is_on_the_page_and_in_the_diary(folder: Path) -> None:
    with pytest.raises(InputError), live_report(folder) as live:
        live.epoch(ROW, "epoch 1")
        raise InputError("the loss of step 7 is no number: lower --learning-rate")
    text = html.unescape((folder / "report.html").read_text())
    assert "It failed: the loss of step 7 is no number: lower --learning-rate." in text
    assert 'http-equiv="refresh"' not in text
    assert (folder / "log.txt").read_text().splitlines()[-1].startswith("failed: the loss of step")


def test_a_training_that_was_stopped_says_so(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), live_report(folder) as live:
        live.epoch(ROW, "epoch 1")
        raise KeyboardInterrupt
    assert "It was stopped." in (folder / "report.html").read_text()
    assert "failed" not in (folder / "log.txt").read_text()


def test_before_the_first_epoch_nothing_is_touched(folder: Path) -> None:
    """The folder may hold an earlier run again, whose page and diary are its own."""
    (folder / "report.html").write_text("an earlier page")
    diary = (folder / "log.txt").read_bytes()
    with pytest.raises(InputError), live_report(folder):
        raise InputError("no image")
    assert (folder / "report.html").read_text() == "an earlier page"
    assert (folder / "log.txt").read_bytes() == diary


def test_watching_does_not_change_what_is_learned(
    cells_run: Run, cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(module, "MOST_SHARE", 1e9)
    options = {
        name: value
        for section in cells_run.record["options"].values()
        for name, value in section.items()
        if value is not None
    }
    live = LiveReport(tmp_path / "run")
    run = train("unet", cells, out=tmp_path / "run", watch=live, **options)
    assert live.spent > 0
    assert run.record["history"] == cells_run.record["history"]
    for name in ("network.safetensors", "log.csv"):
        assert (run.folder / name).read_bytes() == (cells_run.folder / name).read_bytes()
