from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

DRIVER = """
import json, sys
from pathlib import Path
from engine_jobs import TrialJob
from segmint.engines.dispatching import dispatch
from segmint.engines.item import Item
from segmint.engines.ray_workers import RayWorkers

images = sys.argv[1:]
items = [Item(number=number, image=image) for number, image in enumerate(images)]
with RayWorkers(TrialJob(), workers=2, out=Path("out")) as workers:
    print(workers.place, workers.room(), flush=True)
    outcomes = sorted(dispatch(items, workers), key=lambda outcome: outcome.number)
print(json.dumps([outcome.state for outcome in outcomes]))
"""


def started(folder: Path, mark: str, *images: str) -> subprocess.Popen[str]:
    variables = {
        **os.environ,
        "MARK": mark,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    (folder / "home").mkdir()
    (folder / "here").mkdir()
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", DRIVER, *images],
        env=variables,
        cwd=folder / "here",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(mark: str) -> list[str]:
    """Command lines of the processes that inherited a mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return [line for line in found if line]  # a zombie has none


def until_true(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_ray_of_our_own_is_quiet_and_leaves_nothing(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    images = [str(number) for number in range(40)]
    images[7] = "die:9"
    driver = started(tmp_path, mark, *images)
    said, complained = driver.communicate(timeout=120)
    assert complained == ""
    place, states = said.splitlines()
    assert place == "Ray on this machine 2"
    assert json.loads(states) == ["done"] * 7 + ["failed"] + ["done"] * 32
    assert not left(mark)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "home"]
    assert [path.name for path in (tmp_path / "here").rglob("*")] == ["out"]
    assert not list((tmp_path / "home").iterdir())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("moment", ["starting", "working"])
def test_a_ray_of_our_own_ends_with_a_driver_that_is_killed(tmp_path: Path, moment: str) -> None:
    mark = uuid.uuid4().hex
    driver = started(tmp_path, mark, "sleep:600")
    if moment == "starting":
        until_true(lambda: any("raylet/raylet" in line for line in left(mark)))
    else:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "Ray on this machine 2\n"
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    until_true(lambda: not left(mark) and not list(tmp_path.glob("segmint-ray-*")))
