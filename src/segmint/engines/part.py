"""A part of a collection, so that several machines may share it without a word to each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segmint.errors import UsageError, shortened

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Part:
    """Every ``count``-th image of a collection, from the one at place ``index``."""

    index: int
    """From 1."""
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(
                f"part {self} does not exist, accepted are 1/{self.count} to "
                f"{self.count}/{self.count}: count parts from 1"
                if self.count > 0
                else f"part {self} does not exist, accepted are parts such as 3/100"
            )

    @classmethod
    def parse(cls, text: str) -> Part:
        """A part as the command line names it.

        Args:
            text: its number from 1, and how many there are.

        Raises:
            UsageError: when it is not written so, or there is no such part.

        Example:
            >>> Part.parse("3/100")
            Part(index=3, count=100)
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise UsageError(
                f"part {shortened(repr(text))} is not of the form I/N, accepted is a number from 1 "
                "and how many parts there are: write 3/100"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def numbers(self, whole: int) -> range:
        """Which of so many images are in it, counted from 0."""
        return range(self.index - 1, whole, self.count)
