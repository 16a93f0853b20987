"""``segmint train`` as several processes that a launcher has started.

SLURM is not there to be tried: plain processes get the variables that srun gives its own.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file

from segmint.cli import run as run_command
from segmint.recipes import training
from segmint.solvers.place import Place

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
import namespaces
from launched_process import clean, train_in
from scenes import write_scenes

STEPS = 20
TRAINING = (
    *("--features", "4", "--levels", "2", "--feature-normalization", "instance", "--dropout", "0"),
    *("--crop", "32", "--resize", "0", "--batch-size", "4", "--val-fraction", "0.25"),
    *("--epochs", str(STEPS), "--steps-per-epoch", "1", "--precision", "float32"),
    *("--device", "cpu", "--threads", "1"),
)
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--rdzv-backend", "c10d")
LAUNCHED = ("-m", "segmint")
ENDS = 120.0
"""Seconds that processes get to end by themselves."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose masks know little of some pictures, so that processes count unlike."""
    root = tmp_path_factory.mktemp("nodes") / "scenes"
    write_scenes(root, "night\ndisk\nbar\n")
    for number in (0, 3, 6):
        path = root / "masks" / f"{number}.png"
        mask = np.array(Pillow.open(path))
        mask[:, :30] = 255
        Pillow.fromarray(mask).save(path)
    return root


def rows(run: Path) -> list[dict[str, float]]:
    with (run / "log.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "network.safetensors")


def assert_same(run: Path, other: Path) -> None:
    """Bit for bit the same networks, and tables."""
    assert rows(run) == rows(other)
    expected = weights(other)
    for name, value in weights(run).items():
        assert torch.equal(value, expected[name]), name


def free_port(low: int = 20_000) -> int:
    for port in range(low + os.getpid() % 4000, 65_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("every port is taken")


def ended(process: subprocess.Popen[bytes] | BaseProcess) -> int | None:
    """The exit code; None while it runs."""
    return process.poll() if isinstance(process, subprocess.Popen) else process.exitcode


class Started:
    """A process, with its words in files.

    Args:
        argv: what is run; of segmint alone in a process that has its imports already.
        here: its working folder.
        name: of its files.
        environment: what a launcher tells it.
    """

    process: subprocess.Popen[bytes] | BaseProcess

    def __init__(self, argv: list[str], here: Path, name: str, **environment: str) -> None:
        self._files = [here / f"{name}.{stream}" for stream in ("out", "err")]
        environment["OMP_NUM_THREADS"] = "1"  # as torchrun has it, so that all compute alike
        if argv[0] == "train":
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["segmint.solvers.lightning_trainer"])
            self.process = context.Process(
                target=train_in, args=(argv, here, self._files, environment)
            )
            self.process.start()
            return
        with self._files[0].open("w") as out, self._files[1].open("w") as err:
            self.process = subprocess.Popen(
                argv, cwd=here, env={**clean(), **environment}, stdout=out, stderr=err
            )

    def end(self) -> tuple[int, str, str]:
        """Exit code, and what went to standard output and error."""
        deadline = time.monotonic() + ENDS
        while ended(self.process) is None:
            assert time.monotonic() < deadline, [file.read_text() for file in self._files]
            time.sleep(0.02)
        out, err = (file.read_text() for file in self._files)
        code = ended(self.process)
        assert code is not None
        return code, out, err


@contextmanager
def all_end() -> Iterator[list[Started]]:
    """What is put in here is gone at the end, whatever happens."""
    started: list[Started] = []
    try:
        yield started
    finally:
        for each in started:
            if ended(each.process) is None:
                each.process.kill()
                while ended(each.process) is None:
                    time.sleep(0.01)


def wait_for(what: Callable[[], bool], started: Started) -> None:
    deadline = time.monotonic() + ENDS
    while not what():
        assert ended(started.process) is None, started.end()
        assert time.monotonic() < deadline, "it does not begin"
        time.sleep(0.005)


def has_rows(run: Path, count: int) -> Callable[[], bool]:
    table = run / "log.csv"
    return lambda: table.exists() and table.read_text().count("\n") > count


@pytest.fixture(scope="module")
def one(scenes: Path) -> Path:
    """The run of one process."""
    out = scenes.parent / "one"
    assert run_command(["train", "unet", str(scenes), "--out", str(out), "--quiet", *TRAINING]) == 0
    return out


@pytest.fixture(scope="module")
def two(scenes: Path) -> Path:
    """The run of two processes that nobody disturbed."""
    out = scenes.parent / "two"
    with all_end() as started:
        start_two(started, scenes.parent, "two", "--out", str(out), *of_two(scenes))
        (code, said, err), (other_code, other_said, other_err) = (each.end() for each in started)
    assert (code, other_code) == (0, 0), err + other_err
    assert said.startswith("learned 3 classes from 6 images")
    assert err.count("epoch ") == STEPS
    assert (other_said, other_err) == ("", "")
    return out


def of_two(scenes: Path) -> list[str]:
    return ["unet", str(scenes), "--devices", "2", *TRAINING]


def test_two_processes_learn_what_one_learns(one: Path, two: Path) -> None:
    assert_learned_alike(two, one)


def assert_learned_alike(run: Path, other: Path) -> None:
    """The same but for rounding."""
    found = rows(run)
    assert len(found) == STEPS
    for row, expected in zip(found, rows(other), strict=True):
        assert row["loss"] == pytest.approx(expected["loss"], abs=1e-5)
        assert row["val_loss"] == pytest.approx(expected["val_loss"], abs=1e-5)
    torch.testing.assert_close(weights(run), weights(other), rtol=1e-3, atol=1e-5)


def test_two_machines_learn_alike(scenes: Path, one: Path, two: Path) -> None:
    """They have addresses and working folders of their own, but one name, that of loopback."""
    if missing := namespaces.missing():
        pytest.skip(missing)
    places = [scenes.parent / name for name in "01"]
    with namespaces.namespaces(2) as machines, all_end() as started:
        for number, (machine, here) in enumerate(zip(machines, places, strict=True)):
            here.mkdir()
            argv = [
                *TORCHRUN,
                *("--nnodes", "2", "--nproc-per-node", "1"),
                *("--rdzv-endpoint", f"{machines[0].address}:29500"),
                *("--rdzv-conf", f"is_host={1 - number}", "--local-addr", machine.address),
                *LAUNCHED,
                *("train", "unet", str(scenes), "--out", "run", "--nodes", "2", *TRAINING),
            ]
            started.append(Started(machine.command(argv), here, "said"))
        (code, out, err), (other_code, other_out, other_err) = (each.end() for each in started)
    assert (code, other_code) == (0, 0), err + other_err
    assert out.startswith("learned 3 classes from 6 images")
    assert (other_out, other_err.count("epoch ")) == ("", 0)
    assert sorted(path.name for path in places[1].iterdir()) == ["said.err", "said.out"]
    assert_learned_alike(places[0] / "run", one)
    assert_same(places[0] / "run", two)


def test_a_killed_process_is_started_again_and_goes_on(scenes: Path, two: Path) -> None:
    here, run = scenes.parent, scenes.parent / "again"
    argv = [
        *TORCHRUN,
        *("--nnodes", "1", "--nproc-per-node", "2", "--max-restarts", "1"),
        *("--rdzv-endpoint", f"127.0.0.1:{free_port()}", *LAUNCHED),
        *("train", *of_two(scenes), "--out", str(run)),
    ]
    with all_end() as started:
        started.append(Started(argv, here, "again"))
        wait_for(has_rows(run, 3), started[0])
        os.kill(of_rank(1, pid_of(started[0])), signal.SIGKILL)
        code, out, err = started[0].end()
    assert code == 0, err
    assert out.startswith("learned 3 classes")
    assert "going on after step" in (run / "log.txt").read_text()
    assert_same(run, two)


def pid_of(started: Started) -> int:
    assert started.process.pid is not None
    return started.process.pid


def of_rank(rank: int, parent: int) -> int:
    """The process that a launcher has given a rank."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    for child in children.read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError("there is no such process")


def slurm(rank: int, port: int, **more: str) -> dict[str, str]:
    """What srun tells the two processes of a job on one machine; the port follows from the job."""
    return {
        "SLURM_JOB_ID": f"7{port - 15_000:04d}",
        "SLURM_STEP_ID": "0",
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_NNODES": "1",
        "SLURM_PROCID": str(rank),
        "SLURM_LOCALID": str(rank),
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": "localhost",
        **more,
    }


def start_two(started: list[Started], here: Path, name: str, *arguments: str) -> None:
    port = free_port()
    for rank in (0, 1):
        argv = ["train", *arguments]
        started.append(Started(argv, here, f"{name}-{rank}", **slurm(rank, port)))


def test_without_help_the_others_end_and_the_run_goes_on_elsewhere(scenes: Path, two: Path) -> None:
    here, run = scenes.parent, scenes.parent / "cut"
    with all_end() as started:
        start_two(started, here, "cut", "--out", str(run), *of_two(scenes))
        wait_for(has_rows(run, 3), started[0])
        started[1].process.kill()
        code, out, err = started[0].end()
    assert (code, out) == (1, "")
    assert "another process of the training has ended" in err.splitlines()[-1]
    assert "the training goes on from its last checkpoint with --resume" in err
    assert 3 <= len(rows(run)) < STEPS
    config = run / "config.yaml"  # as if it had been begun on two machines
    text = config.read_text()
    config.write_text(text.replace("devices: 2\n  nodes: 1\n", "devices: 1\n  nodes: 2\n"))
    assert config.read_text() != text
    with all_end() as started:
        start_two(started, here, "resumed", "--resume", str(run), "--threads", "1")
        assert [each.end()[0] for each in started] == [0, 0]
    assert_same(run, two)


@pytest.mark.parametrize("which", [0, 1])
def test_a_process_that_cannot_go_on_ends_all(scenes: Path, which: int) -> None:
    """Its data set is not there; the other one notices, instead of waiting."""
    here = scenes.parent
    with all_end() as started:
        port = free_port()
        for rank in (0, 1):
            data = "nowhere" if rank == which else str(scenes)
            argv = ["train", "unet", data, "--out", f"no-{which}", "--devices", "2", *TRAINING]
            started.append(Started(argv, here, f"no-{which}-{rank}", **slurm(rank, port)))
        ends = [each.end() for each in started]
    code, out, err = ends[which]
    assert (code, out) == (1, "")
    assert "nowhere does not exist" in err.splitlines()[-1]
    code, out, err = ends[1 - which]
    assert (code, out) == (1, "")
    assert "another process of the training has ended" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not (here / f"no-{which}" / "run.json").exists()


def test_the_first_needs_nobody_once_everything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(place: Place) -> None:
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(training, "wait_for_all", lost)
    with training._with_others(Place(rank=0, world=2, launched=True)):
        pass
    with (
        pytest.raises(RuntimeError, match="closed by peer"),
        training._with_others(Place(rank=1, world=2, launched=True)),
    ):
        pass


def test_all_processes_refuse_alike(scenes: Path) -> None:
    here = scenes.parent
    with all_end() as started:
        call = ("unet", str(scenes), "--out", "none", "--devices", "4", *TRAINING)
        start_two(started, here, "refused", *call)
        first, second = (each.end() for each in started)
    assert first[:2] == second[:2] == (2, "")
    assert (
        "--devices 4 asks for 4 processes, but srun has started 2, 2 on each of 1 mach" in first[2]
    )
    assert second[2] == ""
    assert not (here / "none").exists()


def test_nodes_need_a_launcher(
    scenes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scenes.parent)
    assert run_command(["train", "unet", str(scenes), "--out", "none", "--nodes", "2"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1
    assert errors.startswith("segmint: --nodes is 2, but no launcher has started this process")


def test_a_scheduler_that_starts_a_job_again(
    scenes: Path, one: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SLURM does after a machine was lost: the same command finds its own run."""
    out = scenes.parent / "requeued"
    call = ["train", "unet", str(scenes), "--out", str(out), "--quiet", *TRAINING]

    def cut(*_: object) -> None:
        raise AssertionError("cut off")

    with monkeypatch.context() as patched:
        patched.setattr("segmint.recipes.supervised.activation_of", cut)
        with pytest.raises(AssertionError, match="cut off"):
            run_command(call)
    assert run_command(call) == 2
    assert "holds a run that was cut off" in capsys.readouterr().err
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert run_command([*call, "--seed", "1"]) == 2  # another run
    assert "holds a run that was cut off" in capsys.readouterr().err
    assert run_command(call) == 0
    assert_same(out, one)
    capsys.readouterr()
    assert run_command(call) == 0
    assert capsys.readouterr() == (f"the run in {out} is finished\n", "")
