"""Class-mean files: what value each class has on average in each channel, as CSV or YAML."""

from __future__ import annotations

import csv
import io
import math
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.collect import nearest_file
from segmint.runs import write_text

MOST_CLASSES = 255
LARGEST_FILE = 1 << 20
"""Bytes; a file of means is a few lines."""

_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, surrogates, separators of lines and paragraphs."""

_ACCEPTED = "a CSV with the header class,LGE,T2,C0 and a row for each class, or such a YAML mapping"


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassMeans:
    """One mean for each class and channel."""

    names: tuple[str, ...]
    """Of the classes, in the order of their numbers."""

    channels: tuple[str, ...]
    """Names of the channels; empty where the file does not say."""

    means: npt.NDArray[np.float64]
    """(classes, channels), in the units of the image that they are used with."""


def read_class_means(path: str | Path) -> ClassMeans:
    """Read the mean of each channel in each class.

    A CSV has the header ``class,LGE,T2,C0`` and one row a class. Without that header, of which the
    first word decides, the channels have no names; if then every row begins with a number, the rows
    have no names either and are the classes ``0``, ``1``, ... A YAML file maps a class to a list of
    numbers, or to a mapping of channel to number. The suffix ``.yaml`` or ``.yml`` means YAML, any
    other CSV.

    Args:
        path: the file.

    Raises:
        InputError: when the file is missing or unreadable, has no numbers, rows of unequal length,
            NaN or infinity, a class twice, no class or more than 255, or tags that make objects.
    """
    path = Path(path)
    is_yaml = path.suffix.lower() in (".yaml", ".yml")
    table = (_yaml_table if is_yaml else _csv_table)(path, _text_of(path))
    _check_names(path, table)
    means = [_numbers(path, name, cells) for name, cells in table.rows]
    _check_lengths(path, table, means)
    return ClassMeans(
        names=tuple(name for name, _ in table.rows),
        channels=table.channels,
        means=np.array(means, np.float64),
    )


def write_class_means(path: str | Path, means: ClassMeans) -> None:
    """Write a CSV that :func:`read_class_means` reads back exactly, whole or not at all.

    Raises:
        OutputError: when the file cannot be written.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if means.channels:
        writer.writerow(["class", *means.channels])
    for name, values in zip(means.names, means.means.tolist(), strict=True):
        writer.writerow([name, *map(repr, values)])
    write_text(Path(path), stream.getvalue())


def check_name_characters(path: str | Path, what: str, names: Iterable[str]) -> None:
    """Refuse names that no screen or table can show in one line.

    Args:
        path: the file that holds them or shall hold them.
        what: ``class`` or ``channel``.
        names: what they are called.

    Raises:
        InputError: for a name with a control character, a line break or half of a surrogate pair.

    Example:
        >>> check_name_characters("mu.csv", "class", ["blood pool", "Ödem"])
    """
    for name in names:
        if any(unicodedata.category(each) in _UNSHOWN for each in name):
            raise InputError(
                f"{path} has the {what} name {name[:40]!r} with control characters, accepted are "
                "names of one line that can be shown: rename it"
            )


@dataclass(frozen=True)
class _Table:
    """What a file says, not yet checked."""

    channels: tuple[str, ...]
    rows: Sequence[tuple[str, Sequence[Any]]]


def _text_of(path: Path) -> str:
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise InputError(
                f"{path} is a device or a pipe, accepted is {_ACCEPTED}: save it as a file"
            )
        size = status.st_size
        if size > LARGEST_FILE:
            raise InputError(
                f"{path} has {size} bytes, a file of class means has at most {LARGEST_FILE}: give "
                f"{_ACCEPTED}"
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist, accepted is {_ACCEPTED}: {nearest_file(path)}"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text, accepted is {_ACCEPTED}: check the file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not a path"
        raise InputError(
            f"{path} cannot be opened ({reason}), accepted is {_ACCEPTED}: check its name and "
            "permissions"
        ) from error


def _csv_table(path: Path, text: str) -> _Table:
    try:
        lines = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    except csv.Error as error:
        raise InputError(f"{path} is no CSV ({error}), accepted is {_ACCEPTED}: mend it") from error
    lines = [line for line in lines if any(line)]
    _check_separator(path, lines)
    channels: tuple[str, ...] = ()
    if lines and lines[0][0].casefold() in ("class", ""):
        channels = tuple(lines.pop(0)[1:])
    elif all(_number(line[0]) is not None for line in lines):
        return _Table((), [(str(index), line) for index, line in enumerate(lines)])
    return _Table(channels, [(line[0], line[1:]) for line in lines])


def _check_separator(path: Path, lines: Sequence[Sequence[str]]) -> None:
    first = lines[0] if lines else ()
    for separator, what in ((";", "semicolons"), ("\t", "tabs")):
        if len(first) == 1 and separator in first[0]:
            raise InputError(
                f"{path} has {what} between its cells, accepted are commas: save it with commas "
                "between the cells and points in the numbers"
            )


def _yaml_table(path: Path, text: str) -> _Table:
    content = _yaml_mapping(path, text)
    rows = list(content.values())
    if all(isinstance(row, list) for row in rows):
        return _Table((), [(str(name), row) for name, row in content.items()])
    if not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        raise InputError(
            f"{path} does not give every class a list of numbers, or every class the same "
            f"channels, accepted is {_ACCEPTED}: mend it"
        )
    channels = list(rows[0])
    cells = [(str(name), [row[each] for each in channels]) for name, row in content.items()]
    return _Table(tuple(map(str, channels)), cells)


def _yaml_mapping(path: Path, text: str) -> Mapping[Any, Any]:
    import yaml

    try:
        _check_keys(path, yaml.compose(text, yaml.SafeLoader))
        content = yaml.safe_load(text)
    except yaml.constructor.ConstructorError as error:
        raise InputError(
            f"{path} holds a tag or a value that would make an object, accepted are names and "
            f"numbers alone: give {_ACCEPTED}"
        ) from error
    except (
        # Values that do not fit their tag, such as !!timestamp or !!bool, raise the last three.
        *(yaml.YAMLError, ValueError, RecursionError),
        *(AttributeError, LookupError, TypeError),
    ) as error:
        raise InputError(f"{path} is no YAML, accepted is {_ACCEPTED}: mend it") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no mapping, accepted is {_ACCEPTED}: mend it")
    return content


def _check_keys(path: Path, node: Any) -> None:
    """Refuse a key given twice, of which the loader would keep the last."""
    pairs = node.value if getattr(node, "id", None) == "mapping" else []
    _refuse_twice(path, "class", [str(key.value) for key, _ in pairs])
    for _, row in pairs:
        if row.id == "mapping":
            _refuse_twice(path, "channel", [str(key.value) for key, _ in row.value])


def _refuse_twice(path: Path, what: str, names: Sequence[str]) -> None:
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise InputError(
            f"{path} has the {what} {name!r} {count} times, accepted is each once: remove or "
            "rename the others"
        )


def _check_names(path: Path, table: _Table) -> None:
    names = [name for name, _ in table.rows]
    if not 1 <= len(names) <= MOST_CLASSES:
        raise InputError(
            f"{path} holds {len(names)} classes, accepted are 1 to {MOST_CLASSES}: give {_ACCEPTED}"
        )
    for what, given in (("class", names), ("channel", table.channels)):
        _refuse_twice(path, what, given)
        if "" in given:
            raise InputError(f"{path} has a {what} without a name: give each one a name")
        check_name_characters(path, what, given)


def _numbers(path: Path, name: str, cells: Sequence[Any]) -> list[float]:
    values = [_number(cell) for cell in cells]
    for cell, value in zip(cells, values, strict=True):
        if value is None or not math.isfinite(value):
            shown = repr(cell)[:40] if isinstance(cell, str | float) else type(cell).__name__
            raise InputError(
                f"{path} holds {shown} for class {name!r}, accepted are finite numbers: give "
                f"{_ACCEPTED}"
            )
    return [value for value in values if value is not None]


def _number(cell: Any) -> float | None:
    """The cell as a number; YAML leaves numbers such as 1e-3 as text."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return None


def _check_lengths(path: Path, table: _Table, means: Sequence[Sequence[float]]) -> None:
    expected = len(table.channels) or len(means[0])
    if not expected:
        raise InputError(f"{path} holds no numbers, accepted is {_ACCEPTED}: give one a channel")
    for (name, _), values in zip(table.rows, means, strict=True):
        if len(values) != expected:
            raise InputError(
                f"{path} gives class {name!r} {len(values)} numbers where {expected} are expected, "
                "accepted is one for each channel: mend that row"
            )
