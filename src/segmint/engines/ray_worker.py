"""One worker in a Ray cluster, as the driver sees it: from its hire to its end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from segmint.engines.item import Item
from segmint.engines.ray_actor import error_of, outcome_of, values_of
from segmint.engines.ray_nodes import Node, first_line, pinned
from segmint.engines.workers import Died, Event, Opened, Refused, Reported, Retired

_PATIENCE = 45.0
"""Seconds in which a node that lives can start a process; Ray notices a dead one before."""


class RayWorker:
    """Calls of an actor, in order, of which the first is awaited.

    Args:
        ray: connected.
        number: of this worker.
    """

    def __init__(self, ray: Any, number: int) -> None:
        self.number = number
        self.hired = time.monotonic()
        self.node: Node | None = None
        self.is_open = False
        self._ray = ray
        self._actor: Any = None
        self._calls: deque[Any] = deque()
        self._death = ""
        """Why it died, while its node is asked whether it lives."""
        self._asked = 0.0

    @property
    def awaited(self) -> Any:
        """What tells of it next, as Ray has it, or None."""
        return self._calls[0] if self._calls else None

    @property
    def has_begun(self) -> bool:
        """Whether it has an actor."""
        return self._actor is not None

    def begin(self, actor: Any) -> None:
        """Have its job opened by a new actor."""
        self._actor = actor
        self._calls.append(actor.open.remote())

    def give(self, items: Sequence[Item]) -> None:
        """Add a batch."""
        if not self._death:
            self._calls.append(self._actor.do.remote([values_of(item) for item in items]))

    def end(self) -> None:
        """Kill its actor, whatever that does."""
        self._calls.clear()
        if self._actor is not None:
            self._ray.kill(self._actor)

    def heard(self) -> list[Event]:
        """What the awaited call tells."""
        call = self._calls.popleft()
        if self._death:
            return [self._verdict(call)]
        try:
            told = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            return [Died(worker=self.number, reason=_cause(error), by_itself=True)]
        except self._ray.exceptions.RayError as error:
            return self._broken(error)
        return self._reported(*told) if self.is_open else self._opened(told)

    def _opened(self, fault: tuple[str, str] | None) -> list[Event]:
        if fault is not None:
            return [Refused(worker=self.number, error=error_of(fault))]
        self.is_open = True
        return [Opened(worker=self.number)]

    def _reported(
        self, ended: Sequence[tuple[Any, ...]], fault: tuple[str, str] | None
    ) -> list[Event]:
        outcomes = [outcome_of(values) for values in ended]
        events: list[Event] = [
            Reported(worker=self.number, outcomes=outcomes, finished=fault is None)
        ]
        if fault is not None:
            events.append(Retired(worker=self.number, error=error_of(fault)))
        return events

    def _broken(self, error: Exception) -> list[Event]:
        """Its actor is gone, or what it returned: is its node, too?

        Ray notices the death of a process before that of its node. So the node has to start
        another process, which only one that lives can.
        """
        assert self.node is not None
        words = str(error)
        if not self.node.lives or "node has died" in words or "node was terminated" in words:
            return [self._died_with_node()]
        self.end()
        self._death = f"{_how(words)} on node {self.node.address}"
        self._asked = time.monotonic()
        asking = self._ray.remote(num_cpus=0, max_retries=0)(lambda: True)
        self._calls.append(asking.options(scheduling_strategy=pinned(self.node.id)).remote())
        return []

    def _verdict(self, call: Any) -> Event:
        try:
            self._ray.get(call)
        except self._ray.exceptions.RayError:
            return self._died_with_node()
        return Died(worker=self.number, reason=self._death, by_itself=True)

    def overdue(self) -> list[Event]:
        """Its death, where its node is known to be gone or was asked too long ago."""
        if self._death and self.node is not None:
            late = time.monotonic() - self._asked > _PATIENCE
            if late or not self.node.lives:
                return [self._died_with_node()]
        return []

    def _died_with_node(self) -> Died:
        assert self.node is not None
        self.node.lives = False  # the cluster may not know it yet, and no other worker goes there
        reason = f"its node {self.node.address} is gone"
        return Died(worker=self.number, reason=reason, by_itself=False)


def _how(words: str) -> str:
    """How a process died, as far as Ray knows.

    Example:
        >>> _how("Task was killed due to the node running low on memory.")
        'its process was killed for want of memory'
    """
    if "low on memory" in words:
        return "its process was killed for want of memory"
    return "its process ended"


def _cause(error: Any) -> str:
    """An error that a job should not raise, as one line."""
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {first_line(cause)}"
