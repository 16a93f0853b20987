"""How far a collection is, in one line that people read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from segmint.engines.tally import Tally

_WINDOW = 60.0
"""Seconds that the speed is taken over."""
_SAMPLE = 1.0
"""Seconds from one note of the speed to the next."""
_BETWEEN_LINES = 5.0
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(kw_only=True)
class ProgressLine:
    """``str`` of it is the line as of now.

    The speed is that of about the last minute, or of the last images where one takes longer, and
    does not count what had ended before.

    Example:
        >>> times = iter([0.0, 60.0, 60.0])
        >>> tally = Tally(total=100_000, before=500)
        >>> line = ProgressLine(tally=tally, clock=lambda: next(times))
        >>> tally.done, tally.failed = 731, 3
        >>> line.advance()
        >>> str(line)
        '1,234 of 100,000 images, 12.2 a second, 3 failed, 2 h 14 min left'
    """

    tally: Tally
    clock: Callable[[], float] = time.monotonic
    is_over: bool = False
    """Whether nothing more follows."""
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._samples.append((self.clock(), self.tally.finished))

    def begin(self) -> None:
        """Count time from now on: until here workers were started."""
        self._samples.clear()
        self._samples.append((self.clock(), self.tally.finished))

    def advance(self) -> None:
        """Take note that the tally has grown."""
        now = self.clock()
        if now - self._samples[-1][0] >= _SAMPLE:
            self._samples.append((now, self.tally.finished))
            while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:
                self._samples.popleft()

    @property
    def speed(self) -> float | None:
        """Images a second, where some have ended."""
        now, finished = self.clock(), self.tally.finished
        samples = tuple(self._samples)  # at once, for a line may be drawn by another thread
        grown = [(then, count) for then, count in samples if count < finished]
        old = [sample for sample in grown if sample[0] <= now - _WINDOW]
        then, count = old[-1] if old else grown[0] if grown else (now, finished)
        return (finished - count) / (now - then) if now > then else None

    def __str__(self) -> str:
        tally, speed = self.tally, None if self.is_over else self.speed
        parts = [f"{tally.finished:,} of {tally.total:,} images"]
        parts += [] if speed is None else [spoken_speed(speed)]
        parts += [f"{tally.failed:,} failed"] if tally.failed else []
        if self.is_over:
            parts.append(f"{spoken_time(tally.seconds)} in all")
        elif speed is not None and tally.unreached:
            parts.append(f"{spoken_time(tally.unreached / speed)} left")
        return ", ".join(parts)


Watch: TypeAlias = Callable[[ProgressLine], None]
"""Called with the same line at the beginning, after each image, and when it is over."""


class PlainLines:
    """A watch for a log: a line every few seconds, and the last one.

    Args:
        say: what writes a line.
        clock: seconds.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._clock = say, clock
        self._said = clock()

    def __call__(self, line: ProgressLine) -> None:
        """Say the line if it is time."""
        now = self._clock()
        if line.is_over or now - self._said >= _BETWEEN_LINES:
            self._said = now
            self._say(str(line))


def spoken_speed(speed: float) -> str:
    """Images a second, or a minute or an hour where they are few.

    Example:
        >>> spoken_speed(1234.5), spoken_speed(12.34), spoken_speed(0.5), spoken_speed(0.01)
        ('1,234 a second', '12.3 a second', '30.0 a minute', '36.0 an hour')
    """
    for seconds, unit in ((1, "a second"), (60, "a minute")):
        if speed * seconds >= 1:
            return f"{_three_digits(speed * seconds)} {unit}"
    return f"{_three_digits(speed * 3600)} an hour"


def spoken_time(seconds: float) -> str:
    """A duration by its two greatest units.

    Example:
        >>> [spoken_time(seconds) for seconds in (0.4, 75, 7800, 9 * 86400)]
        ['1 s', '1 min 15 s', '2 h 10 min', '9 d 0 h']
    """
    left = max(1, round(seconds))
    for (size, unit), (smaller, small_unit) in pairwise(_UNITS):
        if left >= size:
            return f"{left // size:,} {unit} {left % size // smaller} {small_unit}"
    return f"{left} s"


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"
