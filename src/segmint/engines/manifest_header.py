"""What the images of a manifest have in common: its first line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any

from segmint import __version__
from segmint.engines.part import Part
from segmint.errors import UsageError, shortened

LONGEST_LINE = 1 << 20
"""Bytes of a line; a longer one is of some other file."""
_VERSION = 1
"""Of the manifest itself."""
_START = '{"manifest": '
_TYPES: dict[str, type | UnionType] = {
    "manifest": int,
    "segmint": str,
    "command": str,
    "identity": dict,
    "collection": str,
    "count": int,
    "begun": int,
    "replaces": bool,
    "others": list,
    "part": str | None,
}


@dataclass(frozen=True, kw_only=True)
class Header:
    """By which command, with which options and of which images results are made."""

    command: str
    """``segment`` or ``predict``."""
    identity: Mapping[str, Any]
    """All that decides the results, as plain values: method, seed, options, hashes of runs."""
    collection: str
    """Hash of the images and their names, in order."""
    count: int
    """How many images the whole collection has; they are numbered from 0."""
    part: Part | None = None
    """Of the collection, that this command does."""
    version: str = __version__
    """Of segmint."""

    @property
    def file_name(self) -> str:
        """Of the manifest: each part has its own, for parts are done side by side.

        Example:
            >>> Header(command="segment", identity={}, collection="", count=9).file_name
            'manifest.jsonl'
            >>> Header(
            ...     command="segment", identity={}, collection="", count=9, part=Part(3, 5)
            ... ).file_name
            'manifest-3-of-5.jsonl'
        """
        if self.part is None:
            return "manifest.jsonl"
        return f"manifest-{self.part.index}-of-{self.part.count}.jsonl"

    @property
    def total(self) -> int:
        """How many images this command does."""
        return self.count if self.part is None else len(self.part.numbers(self.count))

    @property
    def made_by(self) -> dict[str, Any]:
        """All that a result depends on beside its image."""
        return {"segmint": self.version, "command": self.command, "identity": self.identity}

    @property
    def making(self) -> dict[str, str]:
        """The same, each value by its name, as JSON."""
        made = {"command": self.command, **self.identity, "segmint": self.version}
        return dict(_flat("", made))


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The first line of a manifest."""

    header: Header
    begun: int
    """When its first command began: nanoseconds by the clock of the file system it lies on."""
    replaces: bool = False
    """Whether it was begun with ``--overwrite``: results that are older are done again."""
    others: tuple[Mapping[str, Any], ...] = ()
    """What earlier results were made by, where they were accepted although it differs."""

    def line(self) -> bytes:
        """The line, its end included.

        Raises:
            UsageError: when the options take more than a line may.
        """
        header = self.header
        data = {
            "manifest": _VERSION,
            "segmint": header.version,
            "command": header.command,
            "identity": header.identity,
            "collection": header.collection,
            "count": header.count,
            "part": None if header.part is None else str(header.part),
            "begun": self.begun,
            "replaces": self.replaces,
            "others": self.others,
        }
        line = json.dumps(data).encode("ascii") + b"\n"
        if len(line) > LONGEST_LINE:
            raise UsageError(
                f"the options take {len(line):,} bytes, at most {LONGEST_LINE:,} can be kept with "
                "the results: give fewer or shorter values"
            )
        return line


def beginning_of(line: bytes) -> Beginning | None:
    """What the first line of a file says, or None when it is not the first of a manifest."""
    try:
        data = json.loads(line)
        if not isinstance(data, dict) or data.get("manifest") != _VERSION:
            return None
        if not all(isinstance(data.get(name), kind) for name, kind in _TYPES.items()):
            return None
        header = Header(
            command=data["command"],
            identity=data["identity"],
            collection=data["collection"],
            count=data["count"],
            part=None if data["part"] is None else Part.parse(data["part"]),
            version=data["segmint"],
        )
    except (ValueError, RecursionError, KeyError, UsageError):
        return None
    return Beginning(
        header=header,
        begun=data["begun"],
        replaces=data["replaces"],
        others=tuple(data["others"]),
    )


def is_torn_beginning(content: bytes) -> bool:
    """Whether a file without a whole line is a manifest whose first line was cut off, or empty."""
    start = _START.encode("ascii")
    return content.startswith(start) or start.startswith(content)


def first_difference(earlier: Header, now: Header) -> str | None:
    """What two commands differ in that results depend on, in words; None where nothing does.

    Example:
        >>> common = {"command": "segment", "collection": "", "count": 9}
        >>> first_difference(
        ...     Header(identity={"seed": 1}, **common), Header(identity={"seed": 2}, **common)
        ... )
        'with seed 1, and this command has 2'
    """
    before, after = earlier.making, now.making
    for name in {**after, **before}:
        if before.get(name) != after.get(name):
            shown = name.removeprefix("options.")
            old = (
                f"with {shown} {shortened(before[name])}" if name in before else f"without {shown}"
            )
            new = shortened(after[name]) if name in after else "none"
            return f"{old}, and this command has {new}"
    return None


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each value within mappings, with its path, as JSON: equal for equal values."""
    if isinstance(value, Mapping) and (value or not name):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, json.dumps(value)
