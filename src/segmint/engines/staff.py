"""The workers there are: hired where there is room, replaced when they die."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from segmint.engines.item import Item
from segmint.engines.workers import Died, Refused, Retired, Workers
from segmint.errors import SegmintError

BETWEEN_LOOKS = 2.0
"""Seconds after which it is asked again for how many workers there is room."""
_FRUITLESS = 5
"""Workers that die in a row before they begin, after which no other is tried."""


@dataclass(slots=True)
class Batch:
    """Items that a worker was given together."""

    left: dict[int, Item]
    """By number, those that have not ended."""
    count: int
    """With those that have."""


@dataclass(slots=True)
class Hand:
    """A worker, and what it has to do."""

    worker: int
    is_ready: bool = False
    is_alone: bool = False
    """Whether it does a suspect, and is given nothing else."""
    batches: deque[Batch] = field(default_factory=deque)
    began: float = 0.0
    """When it came to its first batch."""

    def add(self, items: Sequence[Item]) -> None:
        """Note a batch that it is given."""
        if not self.batches:
            self.began = time.monotonic()
        self.batches.append(Batch({item.number: item for item in items}, len(items)))

    def finish(self) -> tuple[Batch, float]:
        """Its first batch, which is over, and the seconds that it took."""
        now = time.monotonic()
        seconds, self.began, self.is_alone = now - self.began, now, False
        return self.batches.popleft(), seconds


class Staff:
    """Who works, who begins to, and for how many more there is room.

    Args:
        workers: of the engine.
        tell: told a sentence when work goes on with fewer workers.
        begun: called when the first worker is ready.
    """

    def __init__(
        self,
        workers: Workers,
        tell: Callable[[str], None],
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self.hands: dict[int, Hand] = {}
        """By number of the worker."""
        self._workers, self._tell, self._begun = workers, tell, begun
        self._room, self._look_at, self._rest_until = 0, 0.0, 0.0
        self._places_lost = 0
        self._fruitless = 0
        self._was_any_ready = False
        self._remark, self._told = "", False
        self._told_of_no_room = False

    @property
    def target(self) -> int:
        """How many there should be at most: at least one, where there is room for any."""
        if time.monotonic() >= self._look_at:
            self._room = self._workers.room()
            self._look_at = time.monotonic() + BETWEEN_LOOKS
        return min(self._room, max(1, self._room - self._places_lost))

    @property
    def patience(self) -> float:
        """Seconds after which it is to be looked again, if nothing happens."""
        return BETWEEN_LOOKS

    def fill(self, needed: int) -> None:
        """Hire up to as many workers as are needed, if there is room for them."""
        target = min(self.target, needed)
        if not self._room and not self.hands and not self._told_of_no_room:
            self._told_of_no_room = True
            self._tell(f"there is no room for a worker yet, waiting for some: {self._place}")
        if time.monotonic() >= self._rest_until:
            while len(self.hands) < target:
                worker = self._workers.hire()
                self.hands[worker] = Hand(worker)

    def welcome(self, worker: int) -> None:
        """Note that a worker is ready."""
        if worker in self.hands:
            if not self._was_any_ready:
                self._begun()
            self.hands[worker].is_ready = self._was_any_ready = True
            self._fruitless = 0
            self._say()

    def refused(self, event: Refused) -> None:
        """Go on without a worker that could not begin, unless there is no other.

        Raises:
            SegmintError: of the worker.
        """
        if self.hands.pop(event.worker, None) is None:
            return
        self._fruitless += 1
        hopeless = not self._was_any_ready or self._fruitless >= _FRUITLESS
        if not self.hands and hopeless:
            raise event.error
        self._go_on_with_fewer(f"a worker could not begin and is left out: {event.error}")

    def retired(self, event: Retired) -> Hand | None:
        """Go on without a worker that can write no more; what it had to do.

        Raises:
            SegmintError: of the worker, where there is room for no other.
        """
        hand = self.hands.pop(event.worker, None)
        if hand is None:
            return None
        if not self.hands and self._places_lost + 1 >= self._room:
            raise event.error
        self._go_on_with_fewer(f"a worker can write no more and is left out: {event.error}")
        return hand

    def died(self, event: Died) -> Hand | None:
        """Note a death; what the dead had to do.

        Raises:
            SegmintError: when workers die one after the other before they begin.
        """
        hand = self.hands.pop(event.worker, None)
        self._look_at = 0.0
        if hand is not None and not hand.batches:
            self._rest_until = time.monotonic() + BETWEEN_LOOKS
            self._fruitless += event.by_itself
            if self._fruitless >= _FRUITLESS:
                self._give_up(event.reason)
        return hand

    def dismiss(self) -> None:
        """End all workers."""
        for worker in self.hands:
            self._workers.dismiss(worker)
        self.hands.clear()

    def _give_up(self, reason: str) -> None:
        """Try no other in the place of workers that died before they began."""
        how = f"{_FRUITLESS} workers in a row died before they began ({reason}): {self._place}"
        if not self.hands:
            memory = "; give fewer --workers, or free some memory" if reason == "signal 9" else ""
            raise SegmintError(f"{how}{memory}")
        self._fruitless = 0
        self._go_on_with_fewer(f"{how}; going on with the other workers")

    def _go_on_with_fewer(self, remark: str) -> None:
        self._places_lost += 1
        self._remark = remark
        self._rest_until = time.monotonic() + BETWEEN_LOOKS
        self._say()

    def _say(self) -> None:
        """Tell why there are fewer, once, when it is sure that work goes on."""
        if self._remark and not self._told and any(hand.is_ready for hand in self.hands.values()):
            self._told = True
            self._tell(self._remark)

    @property
    def _place(self) -> str:
        return self._workers.place
