"""Workers that are no processes: every order of events that a seed stands for, and none twice."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from segmint.engines.item import Item
from segmint.engines.outcome import Outcome
from segmint.engines.workers import Died, Event, Opened, Refused, Reported, Retired
from segmint.errors import InputError, OutputError

GIVEN = 2
"""Batches that a worker may have."""


@dataclass(kw_only=True)
class Fate:
    """What goes wrong; each number is how often at most."""

    poisonous: frozenset[int] = frozenset()
    """Numbers of items whose worker dies."""
    losses: int = 0
    """Workers that go with their machines."""
    retirements: int = 0
    refusals: int = 0
    stillborn: int = 0
    """Workers that die by themselves before they are ready."""


@dataclass
class _Worker:
    is_ready: bool = False
    batches: deque[list[Item]] = field(default_factory=deque)
    """Of each what is left."""


class SimulatedWorkers:
    """Does one thing at a time, of a worker that a seed chooses."""

    place = "nowhere"

    def __init__(self, seed: int, *, room: int, fate: Fate | None = None) -> None:
        self.workers: dict[int, _Worker] = {}
        self.tries: Counter[int] = Counter()
        """How often each item was begun."""
        self.together: list[list[int]] = []
        """Numbers of the items of each batch, as they were given."""
        self.hired = self.given = self.most_at_once = 0
        self.was_any_ready = False
        self._random = random.Random(seed)
        self._room, self._fate = room, fate or Fate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.workers.clear()

    def room(self) -> int:
        return self._room

    def hire(self) -> int:
        self.workers[self.hired] = _Worker()
        self.hired += 1
        self.most_at_once = max(self.most_at_once, len(self.workers))
        return self.hired - 1

    def give(self, worker: int, items: Sequence[Item]) -> None:
        found = self.workers[worker]
        assert found.is_ready, "a worker was given work before it was ready"
        assert items, "a worker was given nothing"
        found.batches.append(list(items))
        assert len(found.batches) <= GIVEN, "a worker was given too much"
        self.together.append([item.number for item in items])
        self.given += len(items)

    def dismiss(self, worker: int) -> None:
        del self.workers[worker]

    def events(self, timeout: float) -> Sequence[Event]:
        able = [
            number for number, each in self.workers.items() if each.batches or not each.is_ready
        ]
        if not able:
            return []
        chosen = self._random.sample(able, self._random.randint(1, len(able)))
        return [event for number in chosen for event in self._next(number)]

    def _next(self, number: int) -> list[Event]:
        worker, fate = self.workers[number], self._fate
        if not worker.is_ready:
            return [self._opened(number)]
        if fate.losses and self._random.random() < 0.1:
            fate.losses -= 1
            del self.workers[number]
            return [Died(worker=number, reason="its node is gone", by_itself=False)]
        if fate.retirements and self._random.random() < 0.1:
            fate.retirements -= 1
            del self.workers[number]
            return [Retired(worker=number, error=OutputError("the disk is full"))]
        return self._work(number)

    def _opened(self, number: int) -> Event:
        fate = self._fate
        if fate.refusals and self._random.random() < 0.5:
            fate.refusals -= 1
            del self.workers[number]
            return Refused(worker=number, error=InputError("no weights"))
        if fate.stillborn and self._random.random() < 0.5:
            fate.stillborn -= 1
            del self.workers[number]
            return Died(worker=number, reason="signal 9", by_itself=True)
        self.workers[number].is_ready = self.was_any_ready = True
        return Opened(worker=number)

    def _work(self, number: int) -> list[Event]:
        """Do some of the first batch in any order, to its end or to a death."""
        batch = self.workers[number].batches[0]
        self._random.shuffle(batch)
        outcomes: list[Outcome] = []
        for _ in range(self._random.randint(1, len(batch))):
            item = batch.pop()
            self.tries[item.number] += 1
            if item.number in self._fate.poisonous:
                del self.workers[number]
                return [
                    Reported(worker=number, outcomes=outcomes, finished=False),
                    Died(worker=number, reason="signal 11", by_itself=True),
                ]
            outcomes.append(Outcome(number=item.number, state="done"))
        finished = not batch
        if finished:
            self.workers[number].batches.popleft()
        return [Reported(worker=number, outcomes=outcomes, finished=finished)]
