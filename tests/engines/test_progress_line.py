"""How far it is, as people read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.engines.progress_line import PlainLines, ProgressLine, spoken_time
from segmint.engines.tally import Tally


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def advance(line: ProgressLine, clock: Clock, *, images: int, seconds: float) -> None:
    """So many images, evenly over the time."""
    for _ in range(images):
        clock.now += seconds / images
        line.tally.done += 1
        line.advance()


def test_before_the_first_image_there_is_no_speed() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=5000, before=1200), clock=clock)
    clock.now += 30
    assert str(line) == "1,200 of 5,000 images"
    assert line.speed is None


def test_what_had_ended_before_is_no_speed() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=3000, before=1000), clock=clock)
    advance(line, clock, images=100, seconds=10)
    assert str(line) == "1,100 of 3,000 images, 10.0 a second, 3 min 10 s left"


def test_the_speed_is_that_of_the_last_minute() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=10_000), clock=clock)
    advance(line, clock, images=1000, seconds=100)
    assert line.speed == pytest.approx(10, rel=0.05)
    advance(line, clock, images=61, seconds=61)
    assert line.speed == pytest.approx(1, rel=0.2)


def test_images_that_take_longer_than_a_minute_have_a_speed() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=10), clock=clock)
    for _ in range(4):
        advance(line, clock, images=1, seconds=240)
        assert line.speed == pytest.approx(1 / 240)
    clock.now += 240
    assert str(line) == "4 of 10 images, 7.5 an hour, 48 min 0 s left"


def test_a_standstill_is_seen() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=1000), clock=clock)
    advance(line, clock, images=100, seconds=100)
    clock.now += 3600
    assert line.speed is not None
    assert line.speed < 0.02


def test_failures_and_the_end_are_said() -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=4), clock=clock)
    line.tally.failed = 2
    advance(line, clock, images=2, seconds=4)
    assert str(line) == "4 of 4 images, 1.0 a second, 2 failed"
    line.is_over, line.tally.seconds = True, 4.2
    assert str(line) == "4 of 4 images, 2 failed, 4 s in all"


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 100)), min_size=1, max_size=50))
def test_there_is_a_line_at_any_time(steps: list[tuple[int, float]]) -> None:
    clock = Clock()
    line = ProgressLine(tally=Tally(total=10_000), clock=clock)
    for images, seconds in steps:
        advance(line, clock, images=images, seconds=seconds)
        assert str(line).startswith(f"{line.tally.finished:,} of 10,000 images")
    assert len(line._samples) <= 64


def test_a_log_gets_a_line_every_few_seconds_and_the_last() -> None:
    clock, said = Clock(), list[str]()
    line = ProgressLine(tally=Tally(total=400), clock=clock)
    watch = PlainLines(said.append, clock=clock)
    for _ in range(299):
        advance(line, clock, images=1, seconds=0.1)
        watch(line)
    assert len(said) == 5
    assert said[0].startswith("50 of 400 images, 10.0 a second")
    line.is_over = True
    watch(line)
    assert said[-1].startswith("299 of 400 images, ")


@given(st.floats(0, 1e9))
def test_times_are_what_they_say(seconds: float) -> None:
    sizes = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    words = spoken_time(seconds).replace(",", "").split()
    told = sum(int(n) * sizes[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
    smallest = sizes[words[-1]]
    assert told - 1 <= seconds < told + smallest + 1 or told == 1
