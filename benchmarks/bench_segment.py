"""``segmint segment`` with its defaults on a 481x321 photo, start-up included, and a plain loop.

The plain loop would take a quarter of an hour for its 500 iterations, so a few iterations in a
process of their own are timed in turn with ours and the others counted at the same speed;
``--full`` runs all of them once. Run: ``python benchmarks/bench_segment.py``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from measuring import machine, run_alone, run_command, spread
from pictures import write_photo

ITERATIONS = 500
TIMED = 8
RUNS = 3


def plain(path: str, iterations: int) -> None:
    """Print the seconds that so many plain iterations take, imports left out."""
    import numpy as np
    import torch
    from PIL import Image

    from plain_clustering import plain_iterations

    pixels = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None] / 255
    torch.manual_seed(0)
    plain_iterations(pixels, 1, minimum=0)
    start = time.perf_counter()
    plain_iterations(pixels, iterations, minimum=0)
    print((time.perf_counter() - start) / iterations)


def main() -> None:
    """Print the ratio."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_photo(folder, 481, 321)
        segmint = [sys.executable, "-m", "segmint", "segment", str(path), "--overwrite", "--quiet"]
        methods = ("hybrid", "clustering")
        ours: dict[str, list[float]] = {method: [] for method in methods}
        peaks: dict[str, int] = {}
        iterations = []
        for _ in range(RUNS):
            printed, _, peak = run_alone(__file__, str(path), str(TIMED))
            iterations.append(float(printed))
            for method in methods:
                command = [*segmint, "--method", method, "--out", str(folder / method)]
                _, seconds, peaks[method] = run_command(command)
                ours[method].append(seconds)
        print(f"plain iteration: {spread(iterations)}, peak {peak} MiB")
        whole = statistics.median(iterations) * ITERATIONS
        print(f"plain, {ITERATIONS} iterations at that speed: {whole:.0f} s")
        if "--full" in sys.argv:
            printed, _, _ = run_alone(__file__, str(path), str(ITERATIONS))
            whole = float(printed) * ITERATIONS
            print(f"plain, {ITERATIONS} iterations run: {whole:.0f} s")
        for method, seconds in ours.items():
            gain = whole / statistics.median(seconds)
            print(f"{method}: {spread(seconds)}, 1/{gain:.0f} of plain, peak {peaks[method]} MiB")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        plain(sys.argv[1], int(sys.argv[2]))
    else:
        main()
