"""What a visitor changed in a result by hand: on the desk, on its way to a process, and on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from segmint.errors import InputError
from segmint.runs import write_json

if TYPE_CHECKING:
    from segmint.methods.segmentation import Segmentation

CHANGES = "changes.json"
"""In the folder of the views of an answer that was changed."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """A cut, then groups that become one, then names."""

    components: int | None = None
    """The merge tree was cut into so many; None where it was not cut again."""
    merged: tuple[tuple[int, ...], ...] = ()
    """Groups of ids of that cut that became one, the smallest of them."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of ids, after merging."""

    @classmethod
    def of(
        cls,
        components: int | None,
        merged: Sequence[Sequence[int]],
        names: Mapping[int | str, str] | None,
    ) -> Self:
        """From plain data; ids of names may be the words that JSON makes of them."""
        return cls(
            components=components,
            merged=tuple(tuple(map(int, group)) for group in merged),
            names={int(index): name for index, name in (names or {}).items()},
        )

    @classmethod
    def read(cls, views: Path) -> Self:
        """Those of an answer; none where it was not changed.

        Raises:
            InputError: when they cannot be read.
        """
        file = views / CHANGES
        if not file.exists():
            return cls()
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return cls.of(told["components"], told["merged"], told["names"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InputError(f"{file} is damaged: change the result again") from error

    def write(self, views: Path) -> None:
        """Keep them beside the views of an answer.

        Raises:
            OutputError: when they cannot be written.
        """
        write_json(views / CHANGES, self.arguments)

    @property
    def arguments(self) -> dict[str, Any]:
        """As the errands ``change`` and ``save`` take them."""
        return {
            "components": self.components,
            "merged": [list(group) for group in self.merged],
            "names": dict(self.names),
        }

    def applied(self, found: Segmentation) -> Segmentation:
        """The changed result.

        Raises:
            UsageError: for a change that cannot be done.
        """
        return found.changed(**self.arguments)
