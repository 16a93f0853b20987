"""What the server and its processes say to each other, beside what errands tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from segmint.registry import Entry


@dataclass(frozen=True, kw_only=True)
class Request:
    """To a process: do this."""

    entry: Entry
    """Where the function is."""
    arguments: Mapping[str, Any]


class Sign(Enum):
    """What needs no more words."""

    STOP = "end what you do with what there is"
    READY = "waiting for the first request"
    BEGUN = "a request has come"


@dataclass(frozen=True)
class Trace:
    """From a process: where an unexpected error was, for the log of the server alone."""

    text: str


@dataclass(frozen=True)
class Ended:
    """Of a process: it is no more."""

    code: int | None
    """None where it never was."""
