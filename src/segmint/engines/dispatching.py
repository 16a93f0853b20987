"""Hand the images of a collection to workers, and tell what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from segmint.engines.batch_sizes import BatchSizes
from segmint.engines.item import Item
from segmint.engines.item_queue import ItemQueue
from segmint.engines.outcome import Outcome
from segmint.engines.staff import Hand, Staff
from segmint.engines.suspects import Suspects
from segmint.engines.workers import Died, Event, Opened, Refused, Reported, Workers

_GIVEN = 2
"""Batches of a worker: one that it does, and one that it need not wait for."""


def dispatch(
    items: Iterable[Item],
    workers: Workers,
    *,
    most: int = 16,
    tell: Callable[[str], None] = lambda sentence: None,
    begun: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Have every item done by some worker.

    A few batches are on their way at any time, and no more items are taken from ``items`` until
    what was told of the earlier ones has been read. Batches grow until they take about a second.
    A worker that dies is replaced, and the items of which it had not told are done again one by
    one: the second death is held to be an item's own doing.

    Args:
        items: each with a number of its own.
        workers: within their ``with`` block; they are dismissed at the end.
        most: items in a batch.
        tell: told a sentence when work goes on with fewer workers.
        begun: called when the first worker is ready.

    Yields:
        One outcome for each item, in the order in which they end.

    Raises:
        SegmintError: when no worker can begin.
        OutputError: when none can write any more.
    """
    dispatcher = _Dispatcher(items, workers, most, Staff(workers, tell, begun))
    yield from dispatcher.outcomes()


class _Dispatcher:
    def __init__(self, items: Iterable[Item], workers: Workers, most: int, staff: Staff) -> None:
        self._queue = ItemQueue(items)
        self._suspects = Suspects()
        self._sizes = BatchSizes(most)
        self._workers = workers
        self._staff = staff

    def outcomes(self) -> Iterator[Outcome]:
        while self._queue.look(1) or self._suspects or self._busy():
            self._staff.fill(self._needed())
            self._hand_out()
            for event in self._workers.events(self._staff.patience):
                yield from self._heard(event)
        self._staff.dismiss()

    def _busy(self) -> int:
        return sum(bool(hand.batches) for hand in self._staff.hands.values())

    def _needed(self) -> int:
        """How many workers have something to do, or could have."""
        return self._busy() + len(self._suspects) + self._queue.look(self._staff.target)

    def _hand_out(self) -> None:
        """First to those who have nothing; suspects first, each to one who has nothing else."""
        for given in range(_GIVEN):
            for hand in self._staff.hands.values():
                if hand.is_ready and len(hand.batches) == given and not hand.is_alone:
                    self._give_next(hand)

    def _give_next(self, hand: Hand) -> None:
        if self._suspects:
            if not hand.batches:
                self._give(hand, [self._suspects.take()])
                hand.is_alone = True
            return
        items = self._queue.take(self._size(hand))
        if items:
            self._give(hand, items)

    def _size(self, hand: Hand) -> int:
        """Of the next batch: smaller at the end, so that all workers end together."""
        size, hands = self._sizes.size, len(self._staff.hands)
        waiting = self._queue.look(_GIVEN * hands * size)
        if not self._queue.is_dry:
            return size
        if hand.batches and waiting < hands:
            return 0
        return min(size, max(1, waiting // (_GIVEN * hands)))

    def _give(self, hand: Hand, items: Sequence[Item]) -> None:
        hand.add(items)
        self._workers.give(hand.worker, items)

    def _heard(self, event: Event) -> Iterator[Outcome]:
        if isinstance(event, Reported):
            yield from self._reported(event)
        elif isinstance(event, Opened):
            self._staff.welcome(event.worker)
        elif isinstance(event, Died):
            yield from self._died(event)
        elif isinstance(event, Refused):
            self._staff.refused(event)
        else:
            self._put_back(self._staff.retired(event))

    def _reported(self, event: Reported) -> Iterator[Outcome]:
        hand = self._staff.hands.get(event.worker)
        if hand is None or not hand.batches:
            return
        left = hand.batches[0].left
        for outcome in event.outcomes:
            if left.pop(outcome.number, None) is not None:
                self._suspects.acquit(outcome.number)
                yield outcome
        if event.finished:
            batch, seconds = hand.finish()
            self._sizes.note(batch.count, seconds)
            silence = Died(worker=hand.worker, reason="it told nothing of it", by_itself=True)
            yield from self._suspects.blame(left.values(), silence)

    def _died(self, event: Died) -> Iterator[Outcome]:
        """What it was at is suspect; what it would have done next is not."""
        hand = self._staff.died(event)
        if hand is None:
            return
        while hand.batches and not hand.batches[0].left:
            hand.batches.popleft()
        suspected = hand.batches.popleft().left if hand.batches else {}
        self._put_back(hand)
        yield from self._suspects.blame(suspected.values(), event)

    def _put_back(self, hand: Hand | None) -> None:
        """What was not done goes to others; a suspect stays one."""
        if hand is not None:
            place = self._suspects if hand.is_alone else self._queue
            for batch in reversed(hand.batches):
                place.put_back(batch.left.values())
