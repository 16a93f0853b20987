"""Work that is killed at random moments and goes on gives the same files, byte for byte."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segmint.methods.segmentation import RESULT

SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
from segmint.images.array_scene import ArrayScene
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.streaming import segment_scene

class Slow:
    classes, block, notes = 3, (512, 512), ("answered slowly",)
    def probabilities(self, scene, window, plane=0):
        time.sleep(float(sys.argv[3]))
        rows, columns = np.mgrid[window.slices].astype(np.float32)
        waves = [np.sin(rows / (40 + k)) + np.cos(columns / (60 - k)) for k in range(3)]
        shares = np.exp(np.stack(waves))
        return (shares / shares.sum(axis=0)).astype(np.float32)
    def labels(self, scene, window, plane=0):
        return self.probabilities(scene, window, plane).argmax(axis=0)

pixels = np.random.default_rng(0).integers(0, 256, (600, 3100, 3), dtype=np.uint8)
scene = ArrayScene.of_array(pixels)
scene.spacing = (0.5, 0.5)
segment_scene(
    scene, SceneOutcome(answer=Slow()), Path(sys.argv[1]), method="slow", options={}, seed=0,
    form=sys.argv[2], probabilities=sys.argv[4] == "maps",
    progress=lambda done, total: print(done, flush=True), tell=lambda text: print(text, flush=True),
)
"""
BLOCKS = 14
DELAY = 0.03


def command(folder: Path, form: str, maps: bool) -> list[str]:
    wanted = "maps" if maps else "labels"
    return [sys.executable, "-c", SCRIPT, str(folder), form, str(DELAY), wanted]


def kill_after(work: list[str], blocks: int, seconds: float) -> bool:
    """Start the work and kill it so long after so many blocks; whether it was still running."""
    with subprocess.Popen(work, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == str(blocks):
                break
        time.sleep(seconds)
        running = process.poll() is None
        process.kill()
    return running


def content(folder: Path) -> dict[str, object]:
    """All files by name; the record without its seconds."""
    found: dict[str, object] = {}
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        found[str(file.relative_to(folder))] = file.read_bytes()
    record = json.loads((folder / RESULT).read_text())
    del record["seconds"]
    return {**found, RESULT: record}


@pytest.mark.parametrize(("form", "maps"), [("tiff", True), ("zarr", False)])
def test_killed_three_times_it_gives_the_same_bytes(tmp_path: Path, form: str, maps: bool) -> None:
    if form == "zarr":
        pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    moments = random.Random(f"{form}{maps}")
    first, second = sorted(moments.sample(range(1, BLOCKS), 2))
    work = command(tmp_path / "killed", form, maps)
    assert kill_after(work, first, moments.uniform(0, 2 * DELAY))
    assert kill_after(work, second, moments.uniform(0, 2 * DELAY))
    kill_after(work, BLOCKS, moments.uniform(0, 0.3))  # while the files are written
    subprocess.run(work, check=True, capture_output=True)
    undisturbed = command(tmp_path / "undisturbed", form, maps)
    subprocess.run(undisturbed, check=True, capture_output=True)
    assert content(tmp_path / "killed") == content(tmp_path / "undisturbed")
    assert {each.name for each in tmp_path.iterdir()} == {"killed", "undisturbed"}
