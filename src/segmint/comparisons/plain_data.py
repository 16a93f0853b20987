"""Dataclasses as plain data for files, and back with everything checked."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segmint.errors import InputError

_LARGEST = 1 << 1000
"""Whole numbers that are larger are no floats."""


def plain(value: Any) -> Any:
    """A value as JSON keeps it: dataclasses as mappings, tuples as lists, paths as texts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Path):
        return str(value)
    return [plain(each) for each in value] if isinstance(value, tuple | list) else value


def parsed(value: Any, kind: Any, place: str) -> Any:
    """A value of a type from plain data, checked in everything that it holds.

    Args:
        value: that JSON gave.
        kind: the type: a dataclass, a mapping, a tuple of one type, a number, a text, a path, or
            ``Any``, of which nothing is checked.
        place: what the value is called.

    Raises:
        InputError: says what is not of the type.

    Example:
        >>> parsed([1, 2], tuple[float, ...], "scores")
        (1.0, 2.0)
    """
    if kind is Any:
        return value
    if kind is Path:
        return Path(_checked(value, str, place))
    if dataclasses.is_dataclass(kind):
        return _parsed_object(value, kind, place)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(each for each in arguments if each is not types.NoneType)
        return None if value is None else parsed(value, inner, place)
    if origin is tuple:
        return tuple(
            parsed(each, arguments[0], f"{place}[{index}]")
            for index, each in enumerate(_checked(value, list, place))
        )
    if origin is Mapping:
        return {
            key: parsed(each, arguments[1], f"{place}.{key}")
            for key, each in _checked(value, dict, place).items()
        }
    return _parsed_value(value, kind, arguments, place)


def _parsed_object(value: Any, kind: Any, place: str) -> Any:
    told = _checked(value, dict, place)
    kinds = _kinds(kind)
    strange = sorted(told.keys() - kinds.keys())
    needed = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if strange or needed - told.keys():
        lacks = strange or sorted(needed - told.keys())
        raise InputError(f"{place} {'has an unknown' if strange else 'lacks'} {lacks[0]!r}")
    return kind(
        **{
            name: parsed(told[name], kinds[name], f"{place}.{name}")
            for name in kinds
            if name in told
        }
    )


def _parsed_value(value: Any, kind: Any, choices: tuple[Any, ...], place: str) -> Any:
    """A number, a text, a truth value, or one of some words."""
    if choices:
        if value not in choices:
            raise InputError(f"{place} is {value!r}, accepted are {', '.join(choices)}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < _LARGEST else math.inf
    if isinstance(value, bool) is not (kind is bool):
        raise InputError(f"{place} is {value!r}")
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{place} is not finite")
    return _checked(value, kind, place)


def _checked(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{place} is {str(value)[:40]!r}, which is no {kind.__name__}")
    return value


@functools.cache
def _kinds(kind: type) -> dict[str, Any]:
    """The type of each field."""
    return typing.get_type_hints(kind)
