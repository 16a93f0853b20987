"""A command that is killed, at any moment, and begun again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conducting_example import items_of

from segmint.engines.manifest_lines import read_manifest

COUNT = 120
SLOW = 0.05
"""Seconds that an image takes where the command is to be met at work."""


def started(out: Path, pause: float = 0.0, *, processes: int = 0) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("conducting_example.py")
    command = [sys.executable, str(script), str(out), *map(str, (COUNT, pause, processes))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def ended(process: subprocess.Popen[str]) -> str:
    """What it said."""
    _, said = process.communicate(timeout=60)
    return said


def states(out: Path) -> dict[int, str]:
    lines = list(read_manifest(out / "manifest.jsonl"))
    found = {line["number"]: line["state"] for line in lines}
    assert len(found) == len(lines), "an image has two lines"
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_killed_at_a_random_moment_it_goes_on_to_the_same_end(tmp_path: Path, seed: int) -> None:
    process = started(tmp_path, 0.003)
    time.sleep(random.Random(seed).uniform(0, COUNT * 0.003))
    process.kill()
    ended(process)
    before = states(tmp_path)
    results = len(list(tmp_path.glob("*/result.json")))
    assert len(before) >= results - 1, "at most the image that it was at is not known"
    assert ended(started(tmp_path)) == ""
    assert states(tmp_path) == {item.number: "done" for item in items_of(COUNT)}


def test_killed_with_workers_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    process = started(tmp_path, SLOW, processes=2)
    while len(states(tmp_path)) < 5:
        time.sleep(0.01)
    process.kill()
    ended(process)
    assert len(states(tmp_path)) < COUNT
    assert ended(started(tmp_path, processes=2)) == ""
    assert states(tmp_path) == {item.number: "done" for item in items_of(COUNT)}


def test_terminated_it_says_how_to_go_on(tmp_path: Path) -> None:
    if not hasattr(signal, "SIGTERM"):
        pytest.skip("this system has no such signal")
    process = started(tmp_path, SLOW)
    while not states(tmp_path):
        time.sleep(0.01)
    process.terminate()
    assert "KeyboardInterrupt: stopped: what is finished is kept; run the same" in ended(process)
    assert 0 < len(states(tmp_path)) < COUNT
    assert ended(started(tmp_path)) == ""
    assert len(states(tmp_path)) == COUNT
