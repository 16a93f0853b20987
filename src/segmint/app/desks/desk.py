"""What one visitor has open: images, their results, and the folder in which all of it lies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.app.changes import Changes
from segmint.errors import InputError, UsageError

if TYPE_CHECKING:
    from segmint.app.page.wishes import Wish

MOST_WAITING = 16
"""Of a visitor's wishes, that wait while one of the images is worked on."""


@dataclass(kw_only=True)
class Answer:
    """The result of one image, as it is shown."""

    version: int
    """Counts up with everything that changes labels; views of it lie in ``views/VERSION``."""
    facts: Mapping[str, Any]
    """What the errand returned: see ``docs/app.md``."""
    is_saved: bool = True
    """Whether the files of ``result`` are those of what is shown."""


@dataclass(kw_only=True)
class Picture:
    """One image that a visitor opened."""

    number: int
    folder: Path
    """``upload/NAME`` is the file; ``views/VERSION``, ``fit``, ``result`` come with the answer."""
    name: str
    """As the visitor calls it, without anything that could be a path."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the errand ``open`` returned; nothing before that."""
    answer: Answer | None = None
    versions: int = 0
    """How many answers there have been."""
    wish: Wish | None = None
    """What the answer was asked by."""
    failure: str | None = None
    """The sentence why the last wish had no answer."""
    changes: Changes = field(default_factory=Changes)
    strokes: list[dict[str, Any]] = field(default_factory=list)
    """Painted with the mouse, in native pixels; see ``strokes.py``."""
    stroke_names: dict[int, str] = field(default_factory=dict)
    """What the visitor calls the ids that are painted."""

    @property
    def file(self) -> Path:
        """The image itself."""
        return self.folder / "upload" / self.name

    @property
    def fit(self) -> Path:
        """The result as it was computed, before anything was changed by hand."""
        return self.folder / "fit"

    @property
    def result(self) -> Path:
        """The result with what was changed by hand: what is downloaded."""
        return self.folder / "result"

    @property
    def scribbles(self) -> Path:
        """The strokes as the PNG that the command line takes."""
        return self.folder / "scribbles.png"

    @property
    def base(self) -> Path:
        """Scribbles that were loaded from a file; strokes lie over them."""
        return self.folder / "scribbles-base.png"

    def check_can_paint(self) -> None:
        """Refuse strokes where they could not be kept as scribbles of the file.

        Raises:
            InputError: says on what strokes can be painted.
        """
        if not self.facts["can_paint"]:
            raise InputError(
                f"{self.name} cannot be painted on, accepted are single images that are held whole "
                "and shown as their file has them: save a slice as a PNG and open that"
            )

    def views(self, version: int = 0) -> Path:
        """Pictures of the image itself (version 0) or of one answer, for the page."""
        return self.folder / "views" / str(version)


@dataclass(kw_only=True)
class Desk:
    """What one visitor has open in one tab."""

    id: str
    """Not to be guessed; part of every address of the visitor's files."""
    visitor: str
    """Whose it is: the value of the visitor's cookie."""
    session: str
    """The tab."""
    folder: Path
    pictures: dict[int, Picture] = field(default_factory=dict)
    counted: int = 0
    """Pictures so far; their numbers are never used again."""
    current: int | None = None
    """The number of the picture that is shown."""
    touched: float = field(default_factory=time.monotonic)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)
    _waiting: int = field(default=0, init=False)

    @property
    def is_busy(self) -> bool:
        """Whether one of the visitor's images is worked on."""
        return self._turn.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within it nothing else is done to the visitor's images: one after the other.

        Raises:
            UsageError: when too much waits already.
        """
        if self._waiting >= MOST_WAITING:
            raise UsageError(
                f"{self._waiting} wishes wait for this image already: wait until they are done, or "
                "stop it"
            )
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    @property
    def picture(self) -> Picture | None:
        """The one that is shown."""
        return None if self.current is None else self.pictures.get(self.current)
