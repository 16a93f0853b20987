"""Objectives as text, ``0.5*bce + 0.5*rmi(radius=3)``, and as the mapping that a file holds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segmint.errors import UsageError

Value = bool | float | int | str | None | tuple["Value", ...]

_PLUS = re.compile(r"(?<![\d.][eE])\+(?![^(]*\))")
"""Between terms: neither of an exponent nor inside parentheses."""
_COMMA = re.compile(r",(?![^\[]*\])")
"""Between options: not inside brackets."""
_TERM = re.compile(r"(?:(?P<weight>[^*()]+)\*)?(?P<name>[a-z_]\w*)(?:\((?P<options>[^()]*)\))?")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_CONSTANTS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class WeightedTerm:
    """One term of an objective as it was asked for."""

    name: str
    weight: float = 1.0
    options: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        weight = "" if self.weight == 1 else f"{written_value(self.weight)}*"
        options = ", ".join(
            f"{name}={written_value(value)}" for name, value in self.options.items()
        )
        return f"{weight}{self.name}" + (f"({options})" if options else "")


def parse(expression: str | Mapping[str, Any]) -> tuple[WeightedTerm, ...]:
    """The terms of an objective.

    Args:
        expression: terms joined by ``+``, each ``name``, ``weight*name`` or
            ``weight*name(option=value, ...)``, a value being a number, a word or a list of them in
            brackets; or a mapping from each name to its weight, or to a mapping of ``weight`` and
            options.

    Raises:
        UsageError: when it is not an objective.

    Example:
        >>> terms = parse({"bce": 0.5, "rmi": {"weight": 0.5, "pooling": "average"}})
        >>> written(terms)
        '0.5*bce + 0.5*rmi(pooling=average)'
        >>> parse(written(terms)) == terms
        True
    """
    if isinstance(expression, Mapping):
        found = tuple(_from_item(name, value) for name, value in expression.items())
        if not found:
            raise UsageError("the objective has no term: give one like 'cross_entropy: 1'")
        return found
    if not isinstance(expression, str):
        raise UsageError(
            f"the objective is {expression!r}, accepted is text like '0.5*bce + 0.5*rmi' or a "
            "mapping of terms to weights"
        )
    texts = [_without_spaces(text) for text in _PLUS.split(expression)]
    if not all(texts):
        raise UsageError(
            f"objective {expression!r} has an empty term: write it like '0.5*bce + 0.5*rmi'"
        )
    return tuple(_from_text(text) for text in texts)


def written(terms: Sequence[WeightedTerm]) -> str:
    """Text that :func:`parse` reads as the same terms."""
    return " + ".join(str(term) for term in terms)


def written_value(value: Any) -> str:
    """A value of an option as it stands in text."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(written_value(each) for each in value)}]"
    return str(value).removesuffix(".0")


def _from_text(text: str) -> WeightedTerm:
    match = _TERM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"term {text!r} is not 'name', 'weight*name' or 'weight*name(option=value)'"
        )
    weight = _number(match["weight"], text) if match["weight"] else 1.0
    options: dict[str, Value] = {}
    for option in filter(None, _COMMA.split(match["options"] or "")):
        name, _, value = option.partition("=")
        if name in options:
            raise UsageError(f"term {text!r} gives {name} twice: give it once")
        options[name] = _value(value, text)
    return WeightedTerm(name=match["name"], weight=weight, options=options)


def _from_item(name: Any, given: Any) -> WeightedTerm:
    if not isinstance(name, str):
        raise UsageError(f"the objective names a term {name!r}, accepted is a word")
    values = (
        dict(given) if isinstance(given, Mapping) else {"weight": 1 if given is None else given}
    )
    weight = values.pop("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float | str):
        raise UsageError(
            f"term {name!r} is {weight!r}, accepted is its weight, or a mapping of weight and "
            "options"
        )
    options = {str(key): _plain(value, name) for key, value in values.items()}
    return WeightedTerm(name=name, weight=_number(str(weight), name), options=options)


def _plain(value: Any, term: str) -> Value:
    """A value that a file gave; a word may be a number that the file did not take for one."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | str):
        return _value(_without_spaces(str(value)), term)
    if isinstance(value, Sequence):
        return tuple(_plain(each, term) for each in value)
    raise UsageError(f"{value!r} in term {term!r} is not a number, a word or a list of them")


def _value(text: str, term: str) -> Value:
    if text.startswith("[") and text.endswith("]"):
        return tuple(_value(each, term) for each in filter(None, text[1:-1].split(",")))
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    try:
        return int(text)
    except ValueError:
        pass
    if _WORD.fullmatch(text) and text.lower() not in ("nan", "inf", "infinity"):
        return text
    try:
        return _number(text, term)
    except UsageError as error:
        raise UsageError(
            str(error).replace("not a number", "not a number, word or list")
        ) from error


def _number(text: str, term: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} in term {term!r} is not a number") from error
    if not math.isfinite(number):
        raise UsageError(f"{text!r} in term {term!r} is not a finite number")
    return number


def _without_spaces(text: str) -> str:
    """Without the spaces that part nothing; two words with a space between stay two."""
    return re.sub(r"\s*([-+*(),=\[\]])\s*", r"\1", text).strip()
