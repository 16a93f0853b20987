"""What ``segmint compare`` takes beside the work itself: processes, checks, tables, report.

The same cells are trained and scored in turn by ``segmint compare`` in a fresh process, and one
after the other in this process by ``learn`` and ``score_run``; scores are equal. Two comparisons
of cells that take less than a second give the seconds a comparison and the seconds a cell; a third
on real data is held against the work directly. Seconds are of the processor, all processes
together: on a machine that others use, too, those of the clock say more about the others.

Run: ``python benchmarks/bench_compare.py [CAMVID_FOLDER [STEPS]]``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import machine
from segmint.datasets.synthetic import write_cells
from segmint.recipes.run_folder import Config
from segmint.recipes.scoring import score_run
from segmint.recipes.splits import open_again
from segmint.recipes.training import learn

RECIPES = ("unet", "unet-rmi")
TINY: Mapping[str, Any] = {
    "network.features": 4,
    "network.levels": 2,
    "transform.crop": 64,
    "transform.resize": 0,
    "training.batch_size": 2,
    "training.steps_per_epoch": 5,
}
REAL: Mapping[str, Any] = {
    "network.features": 16,
    "training.batch_size": 4,
    "training.steps_per_epoch": 40,
    "training.cache": True,
}
THREADS = 1
ROUNDS = 2


COMPARE = """
import sys
from multiprocessing import forkserver
from segmint.cli import run
code = run(sys.argv[1:])
forkserver._forkserver._stop()  # waits, so that the seconds of its processes are counted
sys.exit(code)
"""


def by_command(
    data: Path, out: Path, seeds: int, steps: int, settings: Mapping[str, Any], split: str
) -> tuple[float, dict[tuple[str, int], float]]:
    """Processor seconds of the whole command, and the mean IoU of each cell."""
    words = [f"{name}={value}" for name, value in settings.items()]
    line = [
        *(sys.executable, "-c", COMPARE, "compare", *RECIPES, "--data", str(data), "--quiet"),
        *("--out", str(out), "--seeds", str(seeds), "--steps", str(steps), "--split", split),
        *("--threads", str(THREADS), "--set", *words),
    ]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(line[3:])} failed with exit code {process.returncode}")
    seconds = usage.ru_utime + usage.ru_stime
    scores = {}
    for path in out.glob("cells/*/*/cell.json"):
        cell = json.loads(path.read_text())
        scores[cell["label"], cell["seed"]] = cell["answers"][""]["scores"]["mean_iou"]
    return seconds, scores


def by_hand(
    data: Path, out: Path, seeds: int, steps: int, settings: Mapping[str, Any], split: str
) -> tuple[float, dict[tuple[str, int], float]]:
    """Processor seconds of the work alone, and the mean IoU of each run."""
    sections: dict[str, dict[str, Any]] = {"data": {"val_seed": 0}, "training": {"steps": steps}}
    for name, value in settings.items():
        section, _, option = name.partition(".")
        sections.setdefault(section, {})[option] = value
    scores = {}
    start = time.process_time()
    for seed in range(seeds):
        for recipe in RECIPES:
            config = Config(recipe=recipe, data=(str(data),), settings=sections, seed=seed)
            run = learn(config, [data], out=out / f"{recipe}-{seed}")
            found = score_run(run, open_again(run, split=split))
            mean = found.means()["mean_iou"]
            assert mean is not None
            scores[recipe, seed] = mean
    return time.process_time() - start, scores


def overhead(data: Path, seeds: int, steps: int, settings: Mapping[str, Any], split: str) -> list:
    """Seconds by command and by hand, the least of some rounds in turn."""
    taken: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            arguments = (seeds, steps, settings, split)
            command, found = by_command(data, Path(place) / "compared", *arguments)
            hand, expected = by_hand(data, Path(place) / "by-hand", *arguments)
            assert found == expected, (found, expected)
            taken.append((command, hand))
    return [min(column) for column in zip(*taken, strict=True)]


def main(arguments: Sequence[str]) -> None:
    """Print seconds a comparison, seconds a cell, and the share of real work."""
    import torch

    torch.set_num_threads(THREADS)
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "cells"
        write_cells(data, train=8, val=4)
        overhead(data, 1, 5, TINY, "val")  # imports
        few, many = 1, 4
        lines = {}
        for seeds in (few, many):
            command, hand = overhead(data, seeds, 5, TINY, "val")
            lines[seeds * len(RECIPES)] = command - hand
            print(f"{seeds * len(RECIPES)} cells: {command:.1f} s, work alone {hand:.1f} s")
    (small, least), (large, most) = lines.items()
    each = (most - least) / (large - small)
    once = least - small * each
    print(f"overhead: {once:.1f} s a comparison and {each:.2f} s a cell")
    for minutes in (1, 10):
        share = (once + 9 * each) / (9 * 60 * minutes)
        print(f"of 9 cells of {minutes} min: {share:.2%}")
    if arguments:
        steps = int(arguments[1]) if len(arguments) > 1 else 120
        command, hand = overhead(Path(arguments[0]), 2, steps, REAL, "test")
        print(
            f"CamVid, 4 cells: {command:.1f} s, work alone {hand:.1f} s: {command / hand - 1:.2%}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
