"""Options of a term: their names and types, from the signature of the term."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from segmint.errors import UsageError, nearest
from segmint.objectives.expression import Value, written_value

_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}


def checked_options(term: str, factory: Any, given: Mapping[str, Value]) -> dict[str, Any]:
    """The options as the term takes them.

    Args:
        term: its name, for messages.
        factory: the class of the term; its keyword-only arguments are the options.
        given: names and values.

    Raises:
        UsageError: for an unknown option, with the nearest known one, or a value of another type.

    Example:
        >>> from segmint.objectives.continuity import Continuity
        >>> checked_options("continuity", Continuity, {"x": 2, "everywhere": True})
        {'x': 2.0, 'everywhere': True}
    """
    kinds = _kinds(factory)
    options = {}
    for name, value in given.items():
        if name not in kinds:
            accepted = nearest(name, kinds) if kinds else "it has no options"
            raise UsageError(f"term {term!r} does not take {name}: {accepted}")
        converted = _converted(value, kinds[name])
        if converted is _UNFIT:
            raise UsageError(
                f"term {term!r} has {name}={written_value(value)}, accepted is "
                f"{_described(kinds[name])}"
            )
        options[name] = converted
    return options


_UNFIT = object()


def _kinds(factory: Any) -> dict[str, Any]:
    """The type of each keyword-only argument."""
    parameters = inspect.signature(factory).parameters.values()
    hints = typing.get_type_hints(factory.__init__)
    return {p.name: hints[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}


def _converted(value: Value, kind: Any) -> Any:
    """The value as that type, or ``_UNFIT``."""
    if isinstance(kind, types.UnionType):
        fits = (_converted(value, each) for each in typing.get_args(kind))
        return next((each for each in fits if each is not _UNFIT), _UNFIT)
    if typing.get_origin(kind) is tuple:
        return _converted_each(value, typing.get_args(kind)[0])
    if kind is types.NoneType:
        return None if value in (None, "none") else _UNFIT
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is kind else _UNFIT


def _converted_each(values: Value, kind: Any) -> Any:
    if not isinstance(values, Sequence) or isinstance(values, str):
        return _UNFIT
    converted = tuple(_converted(value, kind) for value in values)
    return _UNFIT if _UNFIT in converted else converted


def _described(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_described(each) for each in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return f"a list in brackets, each {_described(typing.get_args(kind)[0])}"
    return "none" if kind is types.NoneType else _WORDS[kind]
