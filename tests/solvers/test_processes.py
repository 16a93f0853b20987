from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from segmint.errors import InputError
from segmint.solvers import processes
from segmint.solvers.best_networks import best_path, use_best
from segmint.solvers.checkpoints import LAST, read_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from training_example import (
    BreaksInTheSecond,
    FailsInTheSecond,
    OneThread,
    PairTask,
    Unreadable,
    train,
)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> None:
    yield
    assert not multiprocessing.active_children()


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes that share their imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["segmint.solvers.lightning_trainer"])
    monkeypatch.setattr(processes, "START_METHOD", "forkserver")


@pytest.mark.usefixtures("quickly")
def test_two_processes_learn_what_one_learns(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # where Lightning would take all there are
    threads, hook = torch.get_num_threads(), sys.excepthook
    tasks = {}
    rows = {}
    for count in (1, 2):
        tasks[count] = OneThread(dropout=0.0)
        folder = tmp_path / str(count)
        fitted = train(folder, task=tasks[count], devices=count, accumulate=2, ema=0.5)
        rows[count] = fitted.history
    for row, expected in zip(rows[2], rows[1], strict=True):
        assert row == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(tasks[2].state_dict(), tasks[1].state_dict(), rtol=1e-4, atol=1e-6)
    assert not torch.distributed.is_initialized()
    assert (torch.get_num_threads(), sys.excepthook) == (threads, hook)
    assert "OMP_NUM_THREADS" not in os.environ
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("quickly")
def test_two_processes_go_on(tmp_path: Path) -> None:
    train(tmp_path / "cut", devices=2, epochs=1, schedule="constant")
    fitted = train(tmp_path / "cut", devices=2, epochs=2, schedule="constant", resume=True)
    whole = train(tmp_path / "whole", devices=2, epochs=2, schedule="constant")
    assert fitted.history == whole.history


@pytest.mark.usefixtures("quickly")
def test_two_processes_keep_the_best_of_each_network(tmp_path: Path) -> None:
    how = {"devices": 2, "ema": 0.5, "gradient_clip": 0.1, "schedule": "constant"}
    whole = train(tmp_path / "whole", task=PairTask(), epochs=2, **how)
    train(tmp_path / "cut", task=PairTask(), epochs=1, **how)
    rest = PairTask()
    again = train(tmp_path / "cut", task=rest, epochs=2, resume=True, **how)
    assert (again.best, again.history) == (whole.best, whole.history)
    for name in PairTask.monitors:
        found, expected = (tmp_path / each / best_path(name) for each in ("cut", "whole"))
        assert found.read_bytes() == expected.read_bytes()
        use_best(rest, tmp_path / "cut", name)


@pytest.mark.usefixtures("quickly")
def test_an_error_in_another_process_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^cannot learn from image-7000-2$"):
        train(tmp_path, task=FailsInTheSecond(), devices=2)
    with pytest.raises(RuntimeError, match=r"process 1 failed:(.|\n)*cannot learn from image"):
        train(tmp_path, task=BreaksInTheSecond(), devices=2)


@pytest.mark.usefixtures("quickly")
def test_a_spoilt_image_of_another_process_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="loss of image-7005-2, image-7005-3 is nan at step 6"):
        train(tmp_path, devices=2, spoilt_step=5)
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4


@pytest.mark.usefixtures("quickly")
def test_ctrl_c_ends_all_processes(tmp_path: Path) -> None:
    class Interrupting:
        def step(self, done: int, *_: object) -> None:
            if done == 6:
                os.kill(os.getpid(), signal.SIGINT)

        def epoch(self, *_: object) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, devices=2, watch=Interrupting())
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4


def test_a_process_that_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ended before it began"):
        train(tmp_path, task=Unreadable(), devices=2)
