"""How long every arm may learn: so many minutes, epochs or steps, the same for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from segmint.errors import UsageError

DEFAULT_MINUTES = 10.0
"""For each cell, where nothing else was asked for."""

_OF_TRAINING = ("training.epochs", "training.steps", "training.max_time")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one cell may spend on learning; at most one of them is given."""

    minutes: float | None = None
    epochs: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) > 1:
            first, second, *_ = given
            raise UsageError(
                f"--{_flag(first)} and --{_flag(second)} both say how long to learn: give one"
            )
        for name, value in given.items():
            if not 0 < value < float("inf"):
                raise UsageError(f"--{_flag(name)} is {value}, accepted is more than 0")

    def training(self, assigned: Iterable[str]) -> dict[str, Any]:
        """Values for the section ``training`` of recipes.

        Args:
            assigned: names of options that were given to all arms.

        Raises:
            UsageError: when one of them is of the budget, too.
        """
        others = [name for name in assigned if name in _OF_TRAINING]
        asked = [name for name, value in vars(self).items() if value is not None]
        if asked and others:
            raise UsageError(
                f"--{_flag(asked[0])} and --set {others[0]} both say how long to learn: give one"
            )
        if self.epochs is not None:
            return {"epochs": self.epochs}
        if self.steps is not None:
            return {"steps": self.steps}
        if others:
            return {}
        minutes = DEFAULT_MINUTES if self.minutes is None else self.minutes
        return {"max_time": 60.0 * minutes}


def _flag(name: str) -> str:
    return "budget-minutes" if name == "minutes" else name
