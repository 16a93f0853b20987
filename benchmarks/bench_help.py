"""Seconds until help and listings answer. Run: ``python benchmarks/bench_help.py``."""

from __future__ import annotations

import statistics
import sys

from measuring import machine, run_command
from segmint.cli import commands

RUNS = 7


def main() -> None:
    """Print the median of each."""
    print(machine())
    python = [sys.executable, "-c"]
    calls = {"import segmint": [*python, "import segmint"]}
    calls["python alone"] = [*python, "pass"]
    segmint = [sys.executable, "-m", "segmint"]
    calls["segmint --help"] = [*segmint, "--help"]
    calls["segmint list"] = [*segmint, "list"]
    calls |= {f"segmint {name} --help": [*segmint, name, "--help"] for name in commands}
    for name, command in calls.items():
        seconds = [run_command(command)[1] for _ in range(RUNS)]
        print(f"{name}: {statistics.median(seconds):.3f} s")


if __name__ == "__main__":
    main()
