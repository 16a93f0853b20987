"""Workers of the same process that know of a job only what was sent; they die when told to."""

from __future__ import annotations

import json
import pickle
from collections import Counter, deque
from collections.abc import Callable, Sequence
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import tifffile
from numpy.typing import NDArray

from segmint.engines.item import Item
from segmint.engines.job import Job, Seat
from segmint.engines.scene_job import SceneWork
from segmint.engines.workers import Died, Event, Opened, Refused, Reported
from segmint.errors import SegmintError
from segmint.methods.segmentation import RESULT


def sent(value: Any) -> Any:
    """What arrives of a value in another process."""
    return pickle.loads(bytes(ForkingPickler.dumps(value)))  # noqa: S301 - made here


class HereWorkers:
    """Each opens the job as it would be sent; the last one that was given anything works first."""

    place = "this process"

    def __init__(
        self,
        job: Job,
        *,
        room: int = 2,
        dies: Callable[[int, int], bool],
        device: str | None = None,
    ) -> None:
        self.ended = False
        self.begun: Counter[int] = Counter()
        self._job, self._room, self._dies = job, room, dies
        self._works: dict[int, SceneWork] = {}
        self._waiting: dict[int, deque[Sequence[Item]]] = {}
        self._said: list[Event] = []
        self._hired = 0
        self._seat = Seat(workers=room, device=device)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended = True
        for work in self._works.values():
            work.close()

    def room(self) -> int:
        return self._room

    def hire(self) -> int:
        worker, self._hired = self._hired, self._hired + 1
        try:
            self._works[worker] = sent(self._job).open(self._seat)
        except SegmintError as error:
            self._said.append(Refused(worker=worker, error=error))
        else:
            self._waiting[worker] = deque()
            self._said.append(Opened(worker=worker))
        return worker

    def give(self, worker: int, items: Sequence[Item]) -> None:
        self._waiting[worker].append(sent(list(items)))

    def dismiss(self, worker: int) -> None:
        self._waiting.pop(worker, None)

    def events(self, timeout: float) -> Sequence[Event]:
        said, self._said = self._said, []
        busy = [worker for worker, batches in self._waiting.items() if batches]
        if said or not busy:
            return said
        return [self._done(busy[-1])]

    def _done(self, worker: int) -> Event:
        batch = self._waiting[worker].popleft()
        for item in batch:
            self.begun[item.number] += 1
            if self._dies(item.number, self.begun[item.number]):
                del self._waiting[worker]
                return Died(worker=worker, reason="signal 11", by_itself=True)
        outcomes = sent(list(self._works[worker].do(batch)))
        return Reported(worker=worker, outcomes=outcomes, finished=True)


def picture(height: int, width: int, dtype: str = "uint8") -> NDArray[Any]:
    """(H, W, 3): stripes of three colors and noise."""
    generator = np.random.default_rng(0)
    colors = np.array([[0.9, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.8]])
    values = colors[np.indices((height, width)).sum(axis=0) // 90 % 3]
    values = np.clip(values + generator.normal(0, 0.08, values.shape), 0, 1)
    return np.asarray(255 * values if dtype == "uint8" else values, dtype)


def write_tiff(path: Path, pixels: NDArray[Any]) -> Path:
    """A tiled file, whose last tile can be damaged."""
    tifffile.imwrite(path, pixels, tile=(128, 128), compression="zlib", photometric="rgb")
    return path


def damage_last_tile(path: Path) -> None:
    """Overwrite the bytes of a tile in the last row and column."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        start, count = page.dataoffsets[-1], page.databytecounts[-1]
    with path.open("r+b") as raw:
        raw.seek(start)
        raw.write(b"\xff" * count)


def content(folder: Path) -> dict[str, object]:
    """All files by name; the record without its seconds."""
    found: dict[str, object] = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    record = json.loads((folder / RESULT).read_text())
    del record["seconds"]
    return {**found, RESULT: record}
