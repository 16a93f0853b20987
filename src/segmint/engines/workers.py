"""Workers, wherever they are: what the dispatcher asks of an engine and hears from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeAlias

from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.errors import SegmintError


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A worker is ready."""

    worker: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A worker could not open the job, and is gone."""

    worker: int
    error: SegmintError


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """Some items of the first batch that a worker has not finished have ended, or all of them."""

    worker: int
    outcomes: Sequence[Outcome]
    finished: bool
    """Whether that batch is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retired:
    """A worker can write no more, and is gone; so are the batches it had not finished."""

    worker: int
    error: SegmintError


@dataclass(frozen=True, kw_only=True, slots=True)
class Died:
    """A worker is gone without a word."""

    worker: int
    reason: str
    """For a sentence: ``signal 9``, ``its node 10.0.0.3 is gone``."""
    by_itself: bool
    """Whether its machine lives on, so that the image it was at may have killed it."""


Event: TypeAlias = Opened | Refused | Reported | Retired | Died


class Workers(Protocol):
    """The workers of an engine; used by one thread, and gone after the ``with`` block."""

    def __enter__(self) -> Workers: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def place(self) -> str:
        """Where work is done, for people: ``2 processes``, ``Ray at 10.0.0.1:6379``."""
        ...

    def room(self) -> int:
        """How many workers there can be at once; may change while a collection is under way."""
        ...

    def hire(self) -> int:
        """Begin to start a worker; an ``Opened`` or ``Refused`` of that number follows."""
        ...

    def give(self, worker: int, items: Sequence[Item]) -> None:
        """Add a batch to what a worker does, one after the other."""
        ...

    def events(self, timeout: float) -> Sequence[Event]:
        """What has happened since; waits so many seconds at most for something to happen."""
        ...

    def dismiss(self, worker: int) -> None:
        """End a worker; nothing more is heard of it."""
        ...
