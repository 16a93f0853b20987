"""A collection that is done in this process, also as a command that can be killed."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from segmint.engines.conducting import conduct
from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.local_workers import LocalWorkers
from segmint.engines.manifest import Manifest
from segmint.engines.manifest_header import Header
from segmint.engines.outcome import Outcome
from segmint.engines.workers import Event, Opened, Reported, Workers

Do = Callable[[Item], Outcome]


def items_of(count: int) -> list[Item]:
    return [Item(number=number, image=f"{number}.png", name=str(number)) for number in range(count)]


def header_of(items: Sequence[Item], **changed: object) -> Header:
    names = repr([(item.image, item.name) for item in items])
    identity = {"method": "hybrid", "seed": 0, "options": {"n_components": 5}}
    common = {"command": "segment", "identity": identity, "collection": names, "count": len(items)}
    return Header(**{**common, **changed})  # type: ignore[arg-type]


def finish(out: Path, item: Item) -> Outcome:
    """What a worker does: a folder of a result."""
    (out / item.name).mkdir(exist_ok=True)
    (out / item.name / "result.json").write_text("{}")
    return Outcome(number=item.number, state="done", told={"method": "hybrid", "components": 5})


class WorkersHere:
    """One worker, which is this process."""

    place = "here"

    def __init__(self, do: Do) -> None:
        self._do = do
        self._waiting: deque[tuple[Item, bool]] = deque()
        """Each with whether it is the last of its batch."""
        self._is_new = False
        self.begun: Counter[int] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def room(self) -> int:
        return 1

    def hire(self) -> int:
        self._is_new = True
        return 0

    def give(self, worker: int, items: Sequence[Item]) -> None:
        self._waiting += [(item, item is items[-1]) for item in items]

    def dismiss(self, worker: int) -> None:
        pass

    def events(self, timeout: float) -> Sequence[Event]:
        if self._is_new:
            self._is_new = False
            return [Opened(worker=0)]
        return [self.do_next()] if self._waiting else []

    def do_next(self) -> Reported:
        item, is_last = self._waiting.popleft()
        self.begun[item.number] += 1
        return Reported(worker=0, outcomes=[self._do(item)], finished=is_last)


def done_numbers(manifest: Manifest, items: Iterable[Item]) -> list[int]:
    return [item.number for item in items if manifest.is_done(item)]


@dataclass(frozen=True)
class ExampleJob:
    """What worker processes do."""

    out: Path
    pause: float

    def open(self, seat: Seat) -> ExampleJob:
        return self

    def do(self, items: Sequence[Item]) -> Iterator[Outcome]:
        for item in items:
            yield self.do_one(item)

    def do_one(self, item: Item) -> Outcome:
        time.sleep(self.pause)
        return finish(self.out, item)


def main(out: Path, count: int, pause: float, *, processes: int) -> None:
    """The command: begin, or go on."""
    items, job = items_of(count), ExampleJob(out, pause)
    workers: Workers = WorkersHere(job.do_one)
    if processes:
        workers = LocalWorkers(job, workers=processes, seat=Seat())
    with Manifest.open(out, header_of(items), items) as manifest, workers:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        conduct(items, workers, manifest, most=4)


if __name__ == "__main__":
    from conducting_example import main as importable

    importable(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), processes=int(sys.argv[4]))
