"""Curves as a drawing inside the page: sharp at any size, in the colors of the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from segmint.errors import InputError

WIDTH, HEIGHT = 360, 210
"""Size of the drawing, in units that are pixels on a phone."""

LEFT, RIGHT, TOP, BOTTOM = 54, 16, 14, 44
"""Margins for the numbers and names of the axes."""

MOST_OTHERS = 7
"""Further curves that the eye can follow."""

STYLES = 6
"""Colors with dashes that the page has for curves."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A number on an axis and where it stands."""

    text: str
    place: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A further curve of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    """Its color and dashes, from 1 to ``STYLES``; 0 is that of its place in the chart."""
    thin: bool = False
    """Drawn thinner and paler, beside a curve of the same style."""

    def __post_init__(self) -> None:
        _check(self.x, self.y)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One curve, or several on the same axes."""

    x: Sequence[float]
    y: Sequence[float]
    x_title: str
    y_title: str
    alt: str
    """What the curve shows, for readers who do not see it."""
    caption: str = ""
    from_zero: bool = True
    """Whether the vertical axis holds 0; without it the curve fills the height."""
    name: str = ""
    """Of the curve, where there are others."""
    style: int = 0
    """As that of :class:`Curve`."""
    thin: bool = False
    """The same."""
    others: tuple[Curve, ...] = ()
    """Further curves, at most ``MOST_OTHERS``, told apart by color and dashes."""
    holds: tuple[float, ...] = ()
    """What the vertical axis holds, too, such as the ends of a chart to be compared with."""

    def __post_init__(self) -> None:
        _check(self.x, self.y)
        if len(self.others) > MOST_OTHERS:
            raise InputError(
                f"chart has {len(self.others)} further curves, accepted are {MOST_OTHERS}: make "
                "several charts"
            )

    @property
    def x_ticks(self) -> list[Tick]:
        """Round numbers along the horizontal axis, whole ones where all values are whole."""
        values = self._all_x
        first, last = min(values), max(values)
        whole = all(float(value).is_integer() for value in values)
        inside = [
            value
            for value in ticks(values, about=6)
            if first <= value <= last and (value.is_integer() or not whole)
        ]
        return [Tick(text=f"{value:g}", place=self._across(value)) for value in inside]

    @property
    def y_ticks(self) -> list[Tick]:
        """Round numbers along the vertical axis."""
        return [Tick(text=f"{value:g}", place=self._up(value)) for value in self._marks]

    @property
    def points(self) -> list[tuple[float, float]]:
        """The curve in the units of the drawing."""
        return self._placed(self.x, self.y)

    @property
    def other_points(self) -> list[list[tuple[float, float]]]:
        """The further curves in the units of the drawing."""
        return [self._placed(curve.x, curve.y) for curve in self.others]

    @property
    def names(self) -> list[str]:
        """Of all curves, where there are several."""
        return [self.name, *(curve.name for curve in self.others)] if self.others else []

    @property
    def looks(self) -> list[str]:
        """How each curve is drawn, as words that the page knows."""
        curves: list[Curve | Chart] = [self, *self.others]
        return [
            f"look-{curve.style or place % STYLES + 1}{' thin' if curve.thin else ''}"
            for place, curve in enumerate(curves)
        ]

    def _placed(self, x: Sequence[float], y: Sequence[float]) -> list[tuple[float, float]]:
        return [
            (round(self._across(each), 1), round(self._up(value), 1))
            for each, value in zip(x, y, strict=True)
        ]

    def _across(self, value: float) -> float:
        values = self._all_x
        return LEFT + (WIDTH - LEFT - RIGHT) * _share(value, min(values), max(values))

    @property
    def _all_x(self) -> list[float]:
        return [*self.x, *(value for curve in self.others for value in curve.x)]

    @property
    def _marks(self) -> list[float]:
        values = [*self.y, *(value for curve in self.others for value in curve.y), *self.holds]
        return ticks(values, from_zero=self.from_zero)

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


def _check(x: Sequence[float], y: Sequence[float]) -> None:
    if len(x) != len(y) or not x:
        raise InputError(
            f"chart has {len(x)} x values and {len(y)} y values, needed is the same number, at "
            "least one"
        )
    if not all(math.isfinite(value) for value in (*x, *y)):
        raise InputError("chart holds a value that is not finite: leave it out")


def _round_step(least: float) -> float:
    """The least of 1, 2, 5, 10, 20, ... that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5
