"""Many images over many processes: two workers against one, what engines take, and their memory.

1. ``segmint segment`` of 200 photos with two single-threaded workers and with one, start-up and
   all else included, in turn, after a check that the results are equal; beside it what two
   processes that only count gain on this machine, in the same rounds.
2. Seconds an image that an engine takes of its own, where nothing is done to 100,000 images in
   batches of 16: dispatched, recorded in a manifest.
3. The memory of the driver of that at 1,000 and 100,000 images, each in a process of its own.

Run: ``python benchmarks/bench_engine.py [PART ...]``, parts ``speed``, ``local``, ``ray``.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import in_turn, machine, peak_memory, ratio, run_alone, run_command, spread
from pictures import photo

if TYPE_CHECKING:
    from segmint.engines.workers import Workers

PHOTOS, METHOD, RUNS = 200, "slic", 5
FEW, MANY = 1_000, 100_000
WORKERS, BATCH = 2, 16
COUNTED = 20_000_000


def write_photos(folder: Path, count: int) -> None:
    """Photos of 481x321 that differ, cut from one larger."""
    import numpy as np

    canvas = photo(2000, 2000)
    generator = np.random.default_rng(0)
    for number in range(count):
        left, top = (int(generator.integers(2000 - side)) for side in (481, 321))
        canvas.crop((left, top, left + 481, top + 321)).save(folder / f"{number:04d}.png")


def command(photos: Path, out: Path, workers: int) -> list[str]:
    """Segment all photos with so many workers."""
    options = ["--method", METHOD, "--workers", str(workers), "--threads", "1"]
    begin = [sys.executable, "-m", "segmint", "segment", str(photos), *options]
    return [*begin, "--out", str(out), "--overwrite", "--quiet"]


def check_equal(first: Path, second: Path) -> None:
    """Refuse to time what differs; only the record of a result tells its seconds."""
    names = sorted(path.relative_to(first) for path in first.glob("*/*"))
    assert names == sorted(path.relative_to(second) for path in second.glob("*/*"))
    assert sum(name.name == "labels.png" for name in names) == PHOTOS
    for name in names:
        if name.suffix != ".json":
            assert (first / name).read_bytes() == (second / name).read_bytes(), name


def count_alone(processes: int) -> None:
    """Keep so many processes busy with what needs no memory."""
    started = [
        multiprocessing.Process(target=sum, args=(range(COUNTED),)) for _ in range(processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()


def speed() -> None:
    """Two workers against one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "photos"
        photos.mkdir()
        write_photos(photos, PHOTOS)
        works: list[Callable[[], object]] = [
            lambda: run_command(command(photos, folder / "one", 1)),
            lambda: run_command(command(photos, folder / "two", 2)),
            lambda: count_alone(1),
            lambda: count_alone(2),
        ]
        for work in works[:2]:
            work()
        check_equal(folder / "one", folder / "two")
        one, two, single, double = in_turn(*works, runs=RUNS)
    print(f"{PHOTOS} photos by {METHOD}, 1 worker: {spread(one)}")
    print(f"{PHOTOS} photos by {METHOD}, 2 workers: {spread(two)}, {ratio(one, two):.2f} times")
    print(f"two processes that count: {2 * ratio(single, double):.2f} times one")


@contextmanager
def workers_of(engine: str, out: Path) -> Iterator[Workers]:
    """Workers that do nothing."""
    from idle_job import IdleJob

    if engine == "ray":
        from segmint.engines.ray_workers import RayWorkers

        with RayWorkers(IdleJob(), workers=WORKERS, out=out) as workers:
            yield workers
        return
    from segmint.engines.job import Seat
    from segmint.engines.local_workers import LocalWorkers

    with LocalWorkers(IdleJob(), workers=WORKERS, seat=Seat()) as local:
        yield local


def idle(engine: str, count: int) -> None:
    """Print seconds an image, and the peak memory of this process in MiB."""
    from segmint.engines.collection import open_collection
    from segmint.engines.conducting import conduct
    from segmint.engines.manifest import Manifest
    from segmint.engines.manifest_header import Header

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listing = folder / "images.txt"
        listing.write_text("".join(f"images/{number:08d}.png\n" for number in range(count)))
        images = open_collection([str(listing)])
        header = Header(
            command="segment", identity={}, collection=images.identity, count=len(images)
        )
        with (
            workers_of(engine, folder) as workers,
            Manifest.open(folder / "out", header, images) as manifest,
        ):
            start = time.perf_counter()
            tally = conduct(images, workers, manifest, most=BATCH)
            seconds = time.perf_counter() - start
        assert tally.done == count
    print(seconds / count, peak_memory())


def overhead(engine: str) -> None:
    """What an engine takes of its own, and the memory of its driver."""
    each, memory = {}, {}
    for count in (FEW, MANY):
        found = [run_alone(__file__, engine, str(count))[0].split() for _ in range(3)]
        each[count] = statistics.median(float(seconds) for seconds, _ in found)
        memory[count] = statistics.median(int(peak) for _, peak in found)
    print(
        f"{engine}: {1e3 * each[MANY]:.3f} ms an image that nothing is done to; driver "
        f"{memory[FEW]} MiB at {FEW:,} images, {memory[MANY]} MiB at {MANY:,}"
    )


def main(parts: list[str]) -> None:
    """Print what was asked for, or all."""
    print(machine())
    for part in parts or ["speed", "local", "ray"]:
        if part == "speed":
            speed()
        else:
            overhead(part)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[2].isdigit():
        idle(sys.argv[1], int(sys.argv[2]))
    else:
        main(sys.argv[1:])
