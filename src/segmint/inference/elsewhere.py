"""Blocks of a scene that other processes answer: what they are asked, and what they send back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from segmint.inference.block_form import BlockForm
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.spool import Parts


@dataclass(frozen=True, kw_only=True, eq=False)
class AskedBlocks:
    """Which blocks are missing, and how they must be answered so that they fit to the others."""

    missing: Sequence[int]
    """Indices of the blocks."""
    form: BlockForm
    tile: int | None
    """Side of what the answer computes at once, where it says so."""
    image: SceneLooks
    """Of which others must see the same."""
    outcome: SceneOutcome
    """How the process that asks would answer them itself."""


@dataclass(frozen=True, kw_only=True)
class SceneLooks:
    """What tells whether another process sees the same image; plain data."""

    shape: tuple[int, ...]
    channels: int
    dtype: str
    bytes: int | None
    """Of the file; None for folders and what has no file."""

    def __str__(self) -> str:
        sides = " x ".join(str(side) for side in self.shape)
        size = "" if self.bytes is None else f" in {self.bytes:,} bytes"
        return f"{sides} pixels of {self.channels} {self.dtype}{size}"


@dataclass(frozen=True, kw_only=True, eq=False)
class AnsweredBlock:
    """A block as it is kept."""

    index: int
    parts: Parts
    """What :meth:`~segmint.inference.block_form.BlockForm.encoded` gave."""
    notes: tuple[str, ...] = ()
    """What was decided where it was answered."""


Elsewhere: TypeAlias = Callable[[AskedBlocks], Generator[AnsweredBlock, None, None]]
"""Gives all blocks that are missing once each, in any order, and no more than a few at a time: the
next are answered when those before were taken. It is closed where nobody asks any more.

Raises InputError when a part of the scene cannot be read or answered."""
