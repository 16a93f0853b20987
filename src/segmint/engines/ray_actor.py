"""A worker inside the Ray cluster: an actor that opens the job and does batches of items.

What goes in and out is plain data: Ray unpickles it at the head, too, where a driver outside the
cluster is connected, and segmint need not be there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from segmint import errors
from segmint.engines.item import Item
from segmint.engines.job import Job, Seat, Work
from segmint.engines.outcome import Outcome
from segmint.errors import OutputError, SegmintError
from segmint.forking import limit_threads

Fault: TypeAlias = tuple[str, str]
"""Name of an error's class and its sentence."""
_FIELDS = ("number", "image", "name", "region", "scribbles")


def actor_class() -> type:
    """The class of which Ray makes actors.

    It is made inside a function, so that Ray sends its code and imports segmint where work is
    done only.
    """

    class Segmint:
        def __init__(self, job: bytes, threads: int, device: str | None, workers: int, at: str):
            self.given = (job, threads, device, workers, at)
            self.worker: Any = None

        def open(self) -> Any:
            from segmint.engines.ray_actor import RayActor

            self.worker = RayActor(*self.given)
            return self.worker.open()

        def do(self, items: Any) -> Any:
            return self.worker.do(items)

    return Segmint


class RayActor:
    """What such an actor does.

    Args:
        job: pickled by Ray's own means.
        threads: of this worker.
        device: for networks, or None.
        workers: on this node, at most.
        folder: in which the driver is, so that relative paths mean the same.
    """

    def __init__(
        self, job: bytes, threads: int, device: str | None, workers: int, folder: str
    ) -> None:
        self._job = job
        self._seat = Seat(threads=threads, device=device, workers=workers)
        self._work: Work | None = None
        limit_threads(threads)
        if Path(folder).is_dir():
            os.chdir(folder)

    def open(self) -> Fault | None:
        """Open the job; what is wrong where it refuses."""
        from ray import cloudpickle

        try:
            # From the command, by Ray, as this actor's own code; never from a file.
            job: Job = cloudpickle.loads(self._job)
            self._work = job.open(self._seat)
        except SegmintError as error:
            return fault_of(error)
        return None

    def do(self, items: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], Fault | None]:
        """Do a batch; how its items ended, and why no more can be written."""
        ended: list[tuple[Any, ...]] = []
        assert self._work is not None
        try:
            for outcome in self._work.do([item_of(values) for values in items]):
                ended.append(values_of_outcome(outcome))
        except OutputError as error:
            return ended, fault_of(error)
        return ended, None


def values_of(item: Item) -> tuple[Any, ...]:
    """An item as plain values."""
    return tuple(getattr(item, field) for field in _FIELDS)


def item_of(values: Sequence[Any]) -> Item:
    """The item of such values.

    Example:
        >>> item_of(values_of(Item(number=3, name="a"))).name
        'a'
    """
    return Item(**dict(zip(_FIELDS, values, strict=True)))


def values_of_outcome(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome as plain values."""
    return outcome.number, outcome.state, dict(outcome.told), outcome.sentence, outcome.payload


def outcome_of(values: Sequence[Any]) -> Outcome:
    """The outcome of such values."""
    number, state, told, sentence, payload = values
    return Outcome(number=number, state=state, told=told, sentence=sentence, payload=payload)


def fault_of(error: SegmintError) -> Fault:
    """An error as plain values."""
    return type(error).__name__, str(error)


def error_of(fault: Fault) -> SegmintError:
    """The error of such values.

    Example:
        >>> error_of(("InputError", "no weights"))
        InputError('no weights')
    """
    kind = getattr(errors, fault[0], SegmintError)
    return kind(fault[1])
