"""Options: frozen keyword-only dataclasses that check themselves.

The string under a field is its help, on the command line, in the docs and in errors. Ranges and
choices stand in the field and are checked when the object is made.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Self

from segmint.errors import UsageError, nearest

LARGEST_WHOLE_NUMBER = 2**31 - 1
"""Of options without a bound of their own; libraries take no larger ones."""


def option(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    words: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
) -> Any:
    """A dataclass field with its range, its choices and other accepted names.

    Args:
        default: value when not given.
        low: least accepted value, included.
        high: greatest accepted value, included.
        choices: accepted words; of an option that takes several, each of them.
        words: accepted words beside numbers, of an option ``int | str``.
        aliases: further names accepted on the command line and in mappings.
    """
    metadata = {"low": low, "high": high, "choices": choices, "words": words, "aliases": aliases}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all option sets; subclasses are ``@dataclass(frozen=True, kw_only=True)``."""

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _converted(field.name, getattr(self, field.name), kinds[field.name])
            object.__setattr__(self, field.name, value)
            _check(field, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Make the options from names and values; unknown names are refused with the nearest one.

        Raises:
            UsageError: for an unknown name, a name given twice, or a value out of range.
        """
        names = cls.names()
        resolved: dict[str, Any] = {}
        for given, value in values.items():
            if given not in names:
                raise UsageError(f"unknown option {given!r}: {nearest(given, names)}")
            name = names[given]
            if name in resolved:
                raise UsageError(
                    f"option {name!r} is given twice (also as {given!r}): give it once"
                )
            resolved[name] = value
        return cls(**resolved)

    @classmethod
    def names(cls) -> dict[str, str]:
        """Every accepted name, aliases included, to the name of its field."""
        names: dict[str, str] = {}
        for field in dataclasses.fields(cls):
            for name in (field.name, *field.metadata.get("aliases", ())):
                names[name] = field.name
        return names

    def resolved(self) -> dict[str, Any]:
        """All options with their values, as plain data for ``result.json``."""
        return dataclasses.asdict(self)


def _converted(name: str, value: Any, kind: Any) -> Any:
    """The value as a plain value of its type; numbers of NumPy become those of Python."""
    if typing.get_origin(kind) is tuple:
        return _converted_each(name, value, typing.get_args(kind)[0])
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(value) in kinds:
        return value
    if str in kinds and isinstance(value, PurePath):
        return str(value)
    if not isinstance(value, bool):
        if int in kinds and isinstance(value, numbers.Integral):
            return int(value)
        if float in kinds and isinstance(value, numbers.Real):
            return float(value)
    accepted = " or ".join("none" if each is type(None) else each.__name__ for each in kinds)
    raise UsageError(f"--{name.replace('_', '-')} is {value!r}, accepted is {accepted}")


def _converted_each(name: str, values: Any, kind: Any) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise UsageError(f"--{name.replace('_', '-')} is {values!r}, accepted is a list")
    return tuple(_converted(name, value, kind) for value in values)


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    name = field.name.replace("_", "-")
    choices, words = field.metadata.get("choices"), field.metadata.get("words", ())
    if value == "":
        raise UsageError(f"--{name} is empty: give a value or leave it out")
    for each in value if isinstance(value, tuple) else (value,):
        if choices and each is not None and each not in choices:
            raise UsageError(f"--{name} is {each!r}: {nearest(str(each), choices)}")
    low, high = field.metadata.get("low"), field.metadata.get("high")
    if isinstance(value, int) and high is None and value > LARGEST_WHOLE_NUMBER:
        high = LARGEST_WHOLE_NUMBER
    if words and isinstance(value, str) and value not in words:
        raise UsageError(
            f"--{name} is {value!r}, accepted is a whole number ({_range(low, high)}) or "
            f"{' or '.join(words)}"
        )
    for each in value if isinstance(value, tuple) else (value,):
        _check_number(name, each, low, high)


def _check_number(name: str, value: Any, low: float | None, high: float | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"--{name} is {value}: a finite number is needed")
    if (low is not None and value < low) or (high is not None and value > high):
        raise UsageError(f"--{name} is {value}, accepted is {_range(low, high)}")


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low} or more"
    if low is None:
        return f"{high} or less"
    return f"{low} to {high}"
