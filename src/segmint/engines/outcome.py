"""What has become of one image of a collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["done", "failed", "skipped"]
"""In which an image ends: exactly one of these."""

STATES: tuple[State, ...] = ("done", "failed", "skipped")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How one item ended; plain data, so that it may come from another machine."""

    number: int
    """Of the item."""
    state: State
    told: Mapping[str, Any] = field(default_factory=dict)
    """Of what is done or was before: method, components, seconds, notes."""
    sentence: str = ""
    """Why it failed."""
    payload: Any = None
    """What the driver itself goes on with, as the pixels of a block; None where all is written."""
