"""What is done to each image of a collection, as it travels to the processes that do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from segmint.engines.item import Item
from segmint.engines.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a worker has of its machine."""

    threads: int = 1
    """Processor threads of its own."""
    device: str | None = None
    """Of networks, where the engine has chosen one; None leaves it to the options."""
    workers: int = 1
    """On this machine, that share its memory."""


class Job(Protocol):
    """Opened once by each worker; plain values, so that it can be sent."""

    def open(self, seat: Seat) -> Work:
        """Read what every image needs, as the weights of a network.

        Raises:
            SegmintError: when this worker can do nothing.
        """
        ...


class Work(Protocol):
    """A job in the process that does it."""

    def do(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Do a few items, and tell of each as soon as it has ended.

        A bad image is an outcome and no error.

        Raises:
            OutputError: when this worker can write no more; what it has not told of is done
                elsewhere.
        """
        ...
