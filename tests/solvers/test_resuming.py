from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from segmint.solvers.best_networks import best_path
from segmint.solvers.checkpoints import BEST, LAST
from segmint.solvers.training_log import TABLE

sys.path.insert(0, str(Path(__file__).parent))
import training_example as example

HARD = {
    "epochs": 7,
    "steps_per_epoch": 3,
    "accumulate": 2,
    "ema": 0.9,
    "warmup_steps": 4,
    "schedule": "cosine",
    "gradient_clip": 0.5,
    "norm": True,
    "pause": 0.02,
}


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts processes that have everything imported, so that they begin at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["segmint.solvers.lightning_trainer"])
    first = context.Process(target=time.perf_counter)  # waits until the imports are done
    first.start()
    first.join()
    return context


def run(processes: ForkServerContext, folder: Path, **given: object) -> ForkServerProcess:
    arguments = [str(folder), *(f"{name}={json.dumps(value)}" for name, value in given.items())]
    process = processes.Process(target=example.main, args=(arguments,))
    process.start()
    return process


def finish(processes: ForkServerContext, folder: Path, **given: object) -> None:
    process = run(processes, folder, **given)
    process.join(60)
    assert process.exitcode == 0


def outcome(folder: Path) -> tuple[dict[str, torch.Tensor], object, str]:
    facts = json.loads((folder / example.FACTS).read_text())
    return load_file(folder / example.RESULT), facts, (folder / TABLE).read_text()


@pytest.fixture(scope="module")
def whole(processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was left alone."""
    folder = tmp_path_factory.mktemp("whole")
    finish(processes, folder, **HARD)
    return folder


@pytest.mark.parametrize("trial", range(3))
def test_goes_on_after_kills_as_if_nothing_had_happened(
    trial: int, processes: ForkServerContext, whole: Path, tmp_path: Path
) -> None:
    go_on_after_kills(processes, tmp_path, seed=f"{os.getpid()} {trial}")
    assert_same(tmp_path, whole)


@pytest.fixture(scope="module")
def whole_pair(processes: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of two networks."""
    folder = tmp_path_factory.mktemp("pair")
    finish(processes, folder, **HARD, pair=True)
    return folder


@pytest.mark.parametrize("trial", range(2))
def test_the_best_of_each_network_are_the_same_after_kills(
    trial: int, processes: ForkServerContext, whole_pair: Path, tmp_path: Path
) -> None:
    go_on_after_kills(processes, tmp_path, seed=f"pair {os.getpid()} {trial}", pair=True)
    assert_same(tmp_path, whole_pair)
    for name in example.PairTask.monitors:
        found, expected = (folder / best_path(name) for folder in (tmp_path, whole_pair))
        assert found.read_bytes() == expected.read_bytes()


def go_on_after_kills(
    processes: ForkServerContext, folder: Path, *, seed: str, **given: object
) -> None:
    """Start a run again and again until it ends, and kill it at chance moments."""
    chance = random.Random(seed)
    kills = 0
    while True:
        pause = HARD["pause"] if kills else 0.1  # the first kill comes in time on a busy machine
        process = run(processes, folder, **{**HARD, **given, "pause": pause}, resume=True)
        if not wait_for_an_epoch(process, folder / TABLE):
            break
        process.join(chance.uniform(0.0, 0.15))  # an epoch takes a tenth of a second
        if process.exitcode is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
    process.join()
    assert process.exitcode == 0
    assert kills


def wait_for_an_epoch(process: ForkServerProcess, table: Path) -> bool:
    """Whether another row was written before the process ended."""
    before = table.read_text() if table.exists() else ""
    while process.exitcode is None:
        if table.exists() and len(table.read_text()) > len(before):
            return True
        process.join(0.01)
    return False


def assert_same(folder: Path, whole: Path) -> None:
    weights, facts, table = outcome(folder)
    expected_weights, expected_facts, expected_table = outcome(whole)
    assert table == expected_table
    assert facts == expected_facts
    assert weights.keys() == expected_weights.keys()
    for name, value in expected_weights.items():
        assert torch.equal(weights[name], value), name
    for name in (LAST, BEST):
        assert_same_tensors(folder / name, whole / name)


def assert_same_tensors(path: Path, other: Path) -> None:
    found, expected = load_file(path), load_file(other)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
