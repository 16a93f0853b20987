"""2,000 images on a Ray cluster of a head and two nodes, one of which is killed in the middle.

Head and nodes are network namespaces with addresses of their own where they can be made (as root,
on Linux), addresses of loopback elsewhere; all of them share the processors of this machine. The
command is ``segmint segment``; its results are compared with those of ``--workers 0``, file by
file, and every image has to stand in the manifest once, before anything is printed.

Run: ``python benchmarks/bench_cluster.py [IMAGES]``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from measuring import machine
from pictures import photo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "engines"))

from namespaces import Machine, machines
from ray_cluster import RayCluster, RayNode, ray_cluster

IMAGES, SIDE, METHOD = 2_000, 64, "felzenszwalb"
CPUS = 2
"""Of a node, so workers on it."""


def write_images(folder: Path, count: int) -> None:
    """Small pictures that differ, cut from one larger."""
    import numpy as np

    canvas = photo(1000, 1000)
    generator = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        left, top = (int(generator.integers(1000 - SIDE)) for _ in range(2))
        canvas.crop((left, top, left + SIDE, top + SIDE)).save(folder / f"{number:05d}.png")


def command(images: Path, out: Path, *options: str) -> list[str]:
    """Segment all images."""
    begin = [sys.executable, "-m", "segmint", "segment", str(images), "--method", METHOD]
    return [*begin, "--threads", "1", "--out", str(out), *options]


def on_cluster(
    head: Machine, address: str, images: Path, out: Path, while_it_runs: Callable[[Path], None]
) -> tuple[float, str]:
    """Seconds of the command with all workers of the cluster, and what it said."""
    options = ["--engine", "ray", "--address", address, "--workers", str(2 * CPUS)]
    start = time.perf_counter()
    with subprocess.Popen(
        head.command(command(images, out, *options)),
        env={**os.environ, "RAY_AUTH_MODE": "disabled"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while_it_runs(out / "manifest.jsonl")
        said, _ = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(said)
    return seconds, said


def kill_after(node: RayNode, count: int) -> Callable[[Path], None]:
    """Kill a node once so many images have ended."""

    def act(manifest: Path) -> None:
        while len(records(manifest)) < count:
            time.sleep(0.02)
        node.kill()

    return act


def records(manifest: Path) -> list[dict[str, object]]:
    """What a manifest tells of images so far."""
    if not manifest.exists():
        return []
    lines = manifest.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[1:-1]]


def check(plain: Path, out: Path, count: int) -> None:
    """Refuse to time what lost an image, did one twice, or made other files."""
    found = records(out / "manifest.jsonl")
    assert len(found) == len({record["name"] for record in found}) == count
    assert Counter(record["state"] for record in found) == {"done": count}
    names = sorted(path.relative_to(plain) for path in plain.glob("*/*"))
    assert names == sorted(path.relative_to(out) for path in out.glob("*/*"))
    for name in names:
        first, second = (place.joinpath(name).read_bytes() for place in (plain, out))
        is_record = name.name == "result.json"
        assert untimed(first) == untimed(second) if is_record else first == second, name


def untimed(record: bytes) -> dict[str, object]:
    """A record without what is measured."""
    return {name: value for name, value in json.loads(record).items() if name != "seconds"}


def measure(folder: Path, cluster: RayCluster, places: list[Machine], count: int) -> None:
    """Undisturbed, then with a node killed at half time."""
    head, stays, dies = places
    nodes = [cluster.add(each.address, cpus=CPUS, command=each.command) for each in (stays, dies)]
    for node in nodes:
        node.wait()
    images = folder / "images"
    write_images(images, count)
    start = time.perf_counter()
    subprocess.run(
        command(images, folder / "plain", "--workers", "0", "--quiet"),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    alone = time.perf_counter() - start
    calm, _ = on_cluster(head, cluster.address, images, folder / "calm", lambda manifest: None)
    check(folder / "plain", folder / "calm", count)
    kill = kill_after(nodes[1], count // 2)
    killed, said = on_cluster(head, cluster.address, images, folder / "killed", kill)
    check(folder / "plain", folder / "killed", count)
    print(f"{count:,} images of {SIDE}x{SIDE} ({METHOD}) at {[each.address for each in places]}")
    print(f"alone (--workers 0): {alone:.1f} s")
    print(f"{2 * CPUS} workers on 2 nodes, undisturbed: {calm:.1f} s")
    print(f"a node killed after {count // 2:,} images: {killed:.1f} s, {killed - calm:+.1f} s")
    print("every image once in the manifest, files equal to those of --workers 0")
    print(said)


def main() -> None:
    """Run all."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    print(machine())
    with tempfile.TemporaryDirectory() as folder, machines(3) as places:
        short = Path(folder) / "r"  # names of sockets in there have an end
        short.mkdir()
        with ray_cluster(short, host=places[0].address, command=places[0].command) as cluster:
            measure(Path(folder), cluster, places, count)


if __name__ == "__main__":
    main()
