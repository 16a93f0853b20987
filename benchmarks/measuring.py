"""What the benchmarks share: turns, medians, peak memory, and the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def in_turn(*works: Callable[[], object], runs: int = 5) -> list[list[float]]:
    """Seconds of each work over so many rounds, one after the other in each, after a warm-up."""
    for work in works:
        work()
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for taken, work in zip(seconds, works, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return seconds


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Ratio of medians."""
    return statistics.median(slow) / statistics.median(fast)


def spread(seconds: Sequence[float], digits: int = 3) -> str:
    """Median with least and greatest."""
    median, low, high = statistics.median(seconds), min(seconds), max(seconds)
    return f"{median:.{digits}f} s ({low:.{digits}f} to {high:.{digits}f})"


def peak_memory() -> int:
    """Largest resident memory of this process so far, in MiB (Linux).

    ``getrusage`` would do but for one thing: it inherits the peak of the process that started this.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise RuntimeError("peak memory is read from /proc, which only Linux has")


def run_alone(script: str, *arguments: str) -> tuple[str, float, int]:
    """Run a script in a process of its own.

    Returns:
        What it printed, its seconds, and its peak resident memory in MiB.
    """
    return run_command([sys.executable, script, *arguments])


def print_turns(
    script: str, works: Mapping[str, Callable[[], Callable[[], object]]], *, runs: int = 5
) -> None:
    """Print seconds, speed and memory of works by name, the first of which is the plain one.

    Args:
        script: prints the memory of a work when it gets its name.
        works: what makes each work.
        runs: rounds.
    """
    seconds = in_turn(*(make() for make in works.values()), runs=runs)
    for name, taken in zip(works, seconds, strict=True):
        printed, _, _ = run_alone(script, name)
        gain = ratio(seconds[0], taken)
        print(f"{name}: {spread(taken)}, {gain:.2f} times the plain speed, {printed.strip()}")


def run_command(command: Sequence[str]) -> tuple[str, float, int]:
    """As :func:`run_alone`, for any command; this process must be smaller than the command's."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed with exit code {process.returncode}")
    return printed, time.perf_counter() - start, usage.ru_maxrss // 1024


def machine() -> str:
    """Processor, cores and versions, in one line."""
    from importlib.metadata import version

    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return (
        f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"torch {version('torch')}, numpy {version('numpy')}"
    )
