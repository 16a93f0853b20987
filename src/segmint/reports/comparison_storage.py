"""The table of a comparison as a file of plain data, and back."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segmint.comparisons.table import ComparisonTable
from segmint.errors import InputError
from segmint.runs import write_json

COMPARISON = "comparison.json"
"""The file, in the folder of the comparison."""

FORMAT = "segmint comparison 1"

_LARGEST = 100_000_000


def is_comparison(folder: Path) -> bool:
    """Whether :func:`write_table` wrote into the folder."""
    return (folder / COMPARISON).is_file()


def write_table(folder: Path, table: ComparisonTable) -> Path:
    """Write ``comparison.json``, whole or not at all.

    Returns:
        The file.

    Raises:
        OutputError: when it cannot be written.
    """
    path = folder / COMPARISON
    write_json(path, {"format": FORMAT, **_plain(table)})
    return path


def read_table(folder: str | Path) -> ComparisonTable:
    """The table that :func:`write_table` wrote into a folder.

    Raises:
        InputError: when there is no such file, it is damaged, or it is of another version.
    """
    path = Path(folder) / COMPARISON
    told = _read(path)
    if told.get("format") != FORMAT:
        raise InputError(
            f"{path} has format {told.get('format')!r}, accepted is {FORMAT!r}: it is of another "
            "version of segmint, or of something else; run the comparison once more, which goes "
            "on from the cells that are there"
        )
    fields = {key: value for key, value in told.items() if key != "format"}
    try:
        table = _parsed(fields, ComparisonTable, "table")
    except InputError as error:
        raise _damaged(path, str(error)) from error
    assert isinstance(table, ComparisonTable)
    if not table.columns:
        raise _damaged(path, "it has no columns")
    return table


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist: give the folder that 'segmint compare' wrote"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, " ".join(str(error).split())) from error
    if not isinstance(found, dict):
        raise _damaged(path, "it holds no object")
    return found


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be used as the table of a comparison ({reason}): run the comparison once "
        "more, which goes on from the cells that are there"
    )


def _plain(value: Any) -> Any:
    """Dataclasses as mappings, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _parsed(value: Any, kind: Any, place: str) -> Any:
    """A value of a type of the contract; raises ``InputError`` that says what is not of it."""
    if dataclasses.is_dataclass(kind):
        return _parsed_object(value, kind, place)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(each for each in arguments if each is not types.NoneType)
        return None if value is None else _parsed(value, inner, place)
    if origin is tuple:
        return tuple(
            _parsed(each, arguments[0], f"{place}[{index}]")
            for index, each in enumerate(_checked(value, list, place))
        )
    if origin is Mapping:
        return {
            key: _parsed(each, arguments[1], f"{place}.{key}")
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
            name: _parsed(told[name], kinds[name], f"{place}.{name}")
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
        value = float(value)
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
