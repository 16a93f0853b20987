"""Means over an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self


class Means:
    """Weighted means of named numbers, in the order in which the names first came."""

    def __init__(self) -> None:
        self.weight = 0.0
        """Of everything that was added; images, where they are the weights."""
        self._sums: dict[str, float] = {}

    def add(self, names: Iterable[str], values: Iterable[float], weight: float) -> None:
        """Take in numbers that stand for so many images."""
        self.weight += weight
        for name, value in zip(names, values, strict=True):
            self._sums[name] = self._sums.get(name, 0.0) + weight * value

    def values(self) -> dict[str, float]:
        """The means by name."""
        return {name: total / self.weight for name, total in self._sums.items()}

    def told(self) -> tuple[float, Mapping[str, float]]:
        """Weight and sums, to be sent to another process."""
        return self.weight, self._sums

    @classmethod
    def of_all(cls, told: Sequence[tuple[float, Mapping[str, float]]]) -> Self:
        """The means over what several processes told."""
        means = cls()
        for weight, sums in told:
            means.weight += weight
            for name, total in sums.items():
                means._sums[name] = means._sums.get(name, 0.0) + total
        return means
