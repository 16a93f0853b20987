"""Names for methods, terms, networks and commands, loaded only when used.

A registry knows each entry by name, one line of summary, and the place of its code. Listing and
help read the names and summaries; the code behind a name is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from segmint.errors import UsageError, nearest


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered thing: its name, what it is for, and where its code is."""

    name: str
    target: str
    summary: str

    def load(self) -> Any:
        """Import and return the object behind ``module:attribute``."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


class Registry:
    """A family of named things of one kind.

    Args:
        kind: the word for one entry, used in messages (``method``, ``term``).

    Example:
        >>> methods = Registry("method")
        >>> methods.register("slic", "skimage.segmentation:slic", "superpixels")
        >>> list(methods)
        ['slic']
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def register(self, name: str, target: str, summary: str) -> None:
        """Add an entry; ``target`` is ``package.module:attribute``."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = Entry(name=name, target=target, summary=summary)

    def entry(self, name: str) -> Entry:
        """The entry of that name; raises ``UsageError`` with the nearest known name."""
        if name not in self._entries:
            raise UsageError(f"unknown {self.kind} {name!r}: {nearest(name, self._entries)}")
        return self._entries[name]

    def load(self, name: str) -> Any:
        """The object behind a name."""
        return self.entry(name).load()

    def entries(self) -> tuple[Entry, ...]:
        """All entries in the order of registration."""
        return tuple(self._entries.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries
