"""What is compared: a recipe or a method with its own options, under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Way: TypeAlias = Literal["recipe", "method"]

BLANK = "blank"
"""The arm that finds one component in every image: what is gained by looking at nothing."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One side of a comparison; with each seed it makes a cell."""

    label: str
    """Unique in its comparison; what tables call it."""
    way: Way
    name: str
    """Of a registered recipe or method, or ``blank``."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Options of its own, beside those that all arms share."""
    preset: str | None = None
    """Named options of the recipe or method."""
