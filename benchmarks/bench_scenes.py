"""Scenes of any size: time by pixels, memory, and what tiles cost against tiles in memory.

A mosaic of photographs is written as a tiled TIFF, a U-Net of a million parameters learns a few
steps, and ``segmint predict`` and ``segmint segment`` read and write it window by window in
processes of their own, whose greatest resident memory is measured. Before and after each
prediction the same network answers tiles of 1024x1024 pixels that lie in memory.

Run: ``python benchmarks/bench_scenes.py [--sides 1000 5000 20000] [--methods em-gmm clustering]``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from measuring import machine, run_alone, run_command, spread
from pictures import photo

SIDES = (1000, 5000, 20000)
METHODS = ("em-gmm", "clustering")
STORED_TILE = 512
SAMPLE = 256
MEMORY_TILE = 1024
MEMORY_TILES = 12
LIMIT = "2GiB"
FEATURES, LEVELS = 24, 3


def write_scene(path: Path, side: int) -> None:
    """A square RGB scene, 8 bits, tiled and deflated; no two tiles are alike."""
    pattern = np.asarray(photo(4096, 4096))
    tifffile.imwrite(
        path,
        _tiles(pattern, side),
        shape=(side, side, 3),
        dtype=np.uint8,
        photometric="rgb",
        tile=(STORED_TILE, STORED_TILE),
        compression="zlib",
        bigtiff=True,
    )


def _tiles(pattern: NDArray[np.uint8], side: int) -> Iterator[NDArray[np.uint8]]:
    generator = np.random.default_rng(0)
    across = -(-side // STORED_TILE)
    for _ in range(across * across):
        top, left = generator.integers(0, len(pattern) - STORED_TILE, 2)
        yield np.ascontiguousarray(
            pattern[top : top + STORED_TILE, left : left + STORED_TILE] // 8 * 8
            + generator.integers(0, 8, dtype=np.uint8)
        )


def learn(folder: Path) -> None:
    """A U-Net of a million parameters in ``run``; what it says does not matter here."""
    import segmint

    data = folder / "data"
    pixels = np.asarray(photo(SAMPLE * 4, SAMPLE))
    for number in range(4):
        image = pixels[:, number * SAMPLE : (number + 1) * SAMPLE]
        mask = image.astype(np.uint16).sum(axis=2) // 192  # four shades are the classes
        for what, array in (("images", image), ("masks", mask.astype(np.uint8))):
            place = data / "train" / what / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(place)
    options = {
        "features": FEATURES,
        "levels": LEVELS,
        "steps": 4,
        "batch_size": 2,
        "crop": 128,
        "resize": 0,
    }
    segmint.train("unet", data, out=folder / "run", **options)


def in_memory(run: Path, precision: str) -> list[float]:
    """Megapixels a second of the run's own network on tiles that lie in memory."""
    printed, _, _ = run_alone(__file__, "--tiles", str(run), "--precision", precision)
    return [float(word) for word in printed.split()]


def print_speeds(run: Path, precision: str) -> None:
    """What :func:`in_memory` reads, in a process of its own so that this one stays small."""
    import torch

    from segmint.networks.storage import load_network
    from segmint.solvers.descent import arithmetic

    network = load_network(run / "network.safetensors").eval()
    tile = torch.rand(1, 3, MEMORY_TILE, MEMORY_TILE).contiguous(memory_format=torch.channels_last)
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    speeds = []
    for number in range(MEMORY_TILES + 2):
        start = time.perf_counter()
        with torch.inference_mode(), arithmetic(dtype, torch.device("cpu")):
            network(tile).argmax(dim=1)
        if number >= 2:
            speeds.append(MEMORY_TILE**2 / 1e6 / (time.perf_counter() - start))
    print(*speeds)


def command(*words: str) -> tuple[float, int]:
    """Seconds and peak memory in MiB of a segmint command."""
    _, seconds, peak = run_command([sys.executable, "-m", "segmint", *words, "--quiet"])
    return seconds, peak


def main(arguments: Sequence[str]) -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sides", type=int, nargs="*", default=SIDES)
    parser.add_argument("--methods", nargs="*", default=METHODS)
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--skip-predict", action="store_true")
    parser.add_argument("--learn", type=Path, help="learn in this folder, and no more")
    parser.add_argument(
        "--tiles", type=Path, help="answer tiles in memory by this run, and no more"
    )
    asked = parser.parse_args(arguments)
    if asked.learn:
        learn(asked.learn)
    elif asked.tiles:
        print_speeds(asked.tiles, asked.precision)
    else:
        compare(asked)


def compare(asked: argparse.Namespace) -> None:
    """A line for each scene and work."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not asked.skip_predict:
            run_alone(__file__, "--learn", str(folder))
        for side in asked.sides:
            path = folder / f"scene-{side}.tif"
            write_scene(path, side)
            if not asked.skip_predict:
                predict(folder / "run", path, side, asked.precision)
            for method in asked.methods:
                segment(path, side, method)
            path.unlink()


def predict(run: Path, path: Path, side: int, precision: str) -> None:
    """The whole command, and its work alone, against tiles in memory."""
    before = in_memory(run, precision)
    out = path.with_suffix("") / "predict"
    words = ("--stream", "tiff", "--max-memory", LIMIT, "--precision", precision)
    seconds, peak = command("predict", str(run), str(path), "--out", str(out), *words)
    tiles = [*before, *in_memory(run, precision)]
    record = json.loads((out / path.stem / "result.json").read_text())
    megapixels = side**2 / 1e6
    speed = megapixels / record["seconds"]
    print(
        f"predict {side}x{side}, {precision}: {seconds:.1f} s in all ({seconds / megapixels:.3f} s "
        f"a megapixel), {record['seconds']:.1f} s of it work = {speed:.3f} MP/s; tiles in memory "
        f"{statistics.median(tiles):.3f} MP/s ({min(tiles):.3f} to {max(tiles):.3f}), "
        f"{speed / statistics.median(tiles):.2f} of them; peak {peak} MiB; "
        + "; ".join(record["notes"]),
        flush=True,
    )


def segment(path: Path, side: int, method: str) -> None:
    """A method without labels, in all."""
    out = path.with_suffix("") / method
    words = ("--method", method, "--stream", "tiff", "--max-memory", LIMIT, "--out", str(out))
    seconds, peak = command("segment", str(path), *words)
    record = json.loads((out / path.stem / "result.json").read_text())
    print(
        f"{method} {side}x{side}: {spread([seconds], 1)} in all, peak {peak} MiB; "
        + "; ".join(record["notes"]),
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
