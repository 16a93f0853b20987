"""Seconds and peak memory of ``segmint segment`` at 1, 3 and 12 megapixels.

Run: ``python benchmarks/bench_megapixels.py [METHOD...]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measuring import machine, run_command
from pictures import write_photo

SIZES = ((1224, 816), (2000, 1500), (4000, 3000))


def main(methods: list[str]) -> None:
    """Print a row for each method and size."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [write_photo(folder, *size) for size in SIZES]
        for method in methods:
            for path, (width, height) in zip(paths, SIZES, strict=True):
                command = [sys.executable, "-m", "segmint", "segment", str(path), "--quiet"]
                out = folder / method
                _, seconds, peak = run_command([*command, "--method", method, "--out", str(out)])
                million = width * height / 1e6
                print(
                    f"{method}, {million:.1f} megapixels: {seconds:.1f} s, "
                    f"{seconds / million:.2f} s a megapixel, peak {peak} MiB"
                )


if __name__ == "__main__":
    main(sys.argv[1:] or ["hybrid", "clustering"])
