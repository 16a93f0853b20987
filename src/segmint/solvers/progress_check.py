"""Whether the progress that a file tells is one that a training can have made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

STOPPED = ("", "epochs", "max_time", "patience", "enough")
"""Why a training may be over; empty while it is not."""


def check_progress(facts: Any) -> None:
    """Refuse facts of a :class:`~segmint.solvers.progress.Progress` that no training told.

    Args:
        facts: as JSON has them.

    Raises:
        ValueError: names the first that is missing, unknown, of another type or contradicts others.

    Example:
        >>> check_progress({"step": 4})
        Traceback (most recent call last):
        ...
        ValueError: it tells no usable progress: seconds is missing
    """
    if not isinstance(facts, dict):
        raise _unusable("it is no mapping")
    for name, fits in _KINDS.items():
        if name not in facts:
            raise _unusable(f"{name} is missing")
        if not fits(facts[name]):
            raise _unusable(f"{name} cannot be that")
    for name in facts:
        if name not in _KINDS:
            raise _unusable(f"{name!r} is unknown")
    _check_steps(facts)


def _check_steps(facts: Mapping[str, Any]) -> None:
    """Refuse steps at which no epoch ended."""
    ends = [row["step"] for row in facts["history"]]
    if facts["step"] != (ends[-1] if ends else 0) or any(map(_not_after, ends, [0, *ends])):
        raise _unusable("step and history contradict each other")
    if facts["best_step"] not in (0, *ends):
        raise _unusable("best_step is not in the history")
    if facts["best_steps"].keys() != facts["best_scores"].keys():
        raise _unusable("best_steps and best_scores are of other networks")
    for name, step in facts["best_steps"].items():
        if step not in ends:
            raise _unusable(f"the best step of {name!r} is not in the history")


def _not_after(step: float, former: float) -> bool:
    return step <= former


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_score(value: Any) -> bool:
    return _is_number(value) and not math.isnan(value)


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, dict)
        and all(map(_is_number, row.values()))
        and _is_end(row.get("epoch"))
        and _is_end(row.get("step"))
        for row in value
    )


def _is_end(value: Any) -> bool:
    return _is_number(value) and value >= 1 and math.isfinite(value) and value == int(value)


def _each(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "step": _is_count,
    "seconds": lambda value: _is_score(value) and 0 <= value < math.inf,
    "history": _is_history,
    "best_step": _is_count,
    "best_score": _is_score,
    "validations_without_gain": _is_count,
    "best_steps": _each(_is_count),
    "best_scores": _each(_is_score),
    "stopped": lambda value: value in STOPPED,
}


def _unusable(reason: str) -> ValueError:
    return ValueError(f"it tells no usable progress: {reason}")
