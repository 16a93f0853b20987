"""A curve as a drawing inside the page: sharp at any size, in the colors of the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from segmint.errors import InputError

WIDTH, HEIGHT = 360, 210
"""Size of the drawing, in units that are pixels on a phone."""

LEFT, RIGHT, TOP, BOTTOM = 40, 16, 14, 44
"""Margins for the numbers and names of the axes."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A number on an axis and where it stands."""

    text: str
    place: float


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One curve."""

    x: Sequence[float]
    y: Sequence[float]
    x_title: str
    y_title: str
    alt: str
    """What the curve shows, for readers who do not see it."""
    caption: str = ""
    from_zero: bool = True
    """Whether the vertical axis holds 0; without it the curve fills the height."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or not self.x:
            raise InputError(
                f"chart has {len(self.x)} x values and {len(self.y)} y values, needed is the same "
                "number, at least one"
            )
        if not all(math.isfinite(value) for value in (*self.x, *self.y)):
            raise InputError("chart holds a value that is not finite: leave it out")

    @property
    def x_ticks(self) -> list[Tick]:
        """Round numbers along the horizontal axis."""
        first, last = min(self.x), max(self.x)
        inside = [value for value in ticks(self.x, about=6) if first <= value <= last]
        return [Tick(text=f"{value:g}", place=self._across(value)) for value in inside]

    @property
    def y_ticks(self) -> list[Tick]:
        """Round numbers along the vertical axis."""
        return [Tick(text=f"{value:g}", place=self._up(value)) for value in self._marks]

    @property
    def points(self) -> list[tuple[float, float]]:
        """The curve in the units of the drawing."""
        return [
            (round(self._across(x), 1), round(self._up(y), 1))
            for x, y in zip(self.x, self.y, strict=True)
        ]

    def _across(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * _share(value, min(self.x), max(self.x))

    @property
    def _marks(self) -> list[float]:
        return ticks(self.y, from_zero=self.from_zero)

    def _up(self, value: float) -> float:
        marks = self._marks
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(value, marks[0], marks[-1])


def ticks(values: Sequence[float], *, about: int = 5, from_zero: bool = True) -> list[float]:
    """Round numbers at an even step around the values, and around 0 where that is asked for.

    Example:
        >>> ticks([7, 93])
        [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    step = _round_step((high - low or 1.0) / about)
    first, last = math.floor(low / step), math.ceil(max(high, low + step) / step)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _round_step(least: float) -> float:
    """The least of 1, 2, 5, 10, 20, ... that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5
