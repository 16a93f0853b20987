"""What a visitor changed in a result, kept beside the views that show it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from segmint.errors import InputError
from segmint.runs import write_json

if TYPE_CHECKING:
    from segmint.methods.segmentation import Segmentation

CHANGES = "changes.json"
"""In the folder of the views of an answer that was changed."""


@dataclass(frozen=True, kw_only=True)
class HandChanges:
    """A cut, then groups that become one, then names."""

    components: int | None = None
    merged: tuple[tuple[int, ...], ...] = ()
    names: tuple[tuple[int, str], ...] = ()

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
            names=tuple(sorted((int(index), name) for index, name in (names or {}).items())),
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
        told = {"components": self.components, "merged": self.merged, "names": dict(self.names)}
        write_json(views / CHANGES, told)

    @property
    def are_none(self) -> bool:
        """Whether the result stays as it is."""
        return self.components is None and not self.merged and not self.names

    def applied(self, found: Segmentation) -> Segmentation:
        """The changed result.

        Raises:
            UsageError: for a change that cannot be done.
        """
        return found.changed(components=self.components, merged=self.merged, names=dict(self.names))
