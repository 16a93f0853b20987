from __future__ import annotations

import csv
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from segmint.errors import InputError, UsageError
from segmint.objectives import Batch
from segmint.solvers.checkpoints import BEST, LAST, read_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from training_example import (
    ExampleSource,
    ExampleTask,
    example_batch,
    train,
)


def weights(task: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in task.state_dict().items()}


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain_loop(task: ExampleTask, *, steps: int, accumulate: int = 1, **how: float) -> list[float]:
    """The obvious loop, with the same batches; the loss of every batch."""
    clip = how.pop("clip", 0.0)
    optimizer = torch.optim.AdamW(
        task.parameters(), fused=False, foreach=False, weight_decay=0.01, **how
    )
    stream = ExampleSource().batches(0)
    losses = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = how["lr"] * (1 - step / steps) ** 0.9
        optimizer.zero_grad()
        for _ in range(accumulate):
            loss, _ = task.loss(next(stream))
            (loss / accumulate).backward()
            losses.append(float(loss.detach()))
        if clip:
            nn.utils.clip_grad_norm_(task.parameters(), clip)
        optimizer.step()
    return losses


class Scripted(ExampleTask):
    """A task whose validations have given scores; it remembers the weights they were of."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.given = list(scores)
        self.seen: list[dict[str, Tensor]] = []

    def scores(self) -> dict[str, float]:
        self.seen.append(weights(self))
        return {"accuracy": self.given[len(self.seen) - 1]}


class Notes:
    """A watcher that remembers."""

    def __init__(self, then: Callable[[int], None] = lambda done: None) -> None:
        self.steps: list[tuple[int, int, float | None, float]] = []
        self.epochs: list[tuple[dict[str, float], str]] = []
        self._then = then

    def step(self, done: int, total: int, seconds_left: float | None, loss: float) -> None:
        self.steps.append((done, total, seconds_left, loss))
        self._then(done)

    def epoch(self, row: dict[str, float], line: str) -> None:
        self.epochs.append((row, line))


@pytest.mark.parametrize(("accumulate", "clip"), [(1, 0.0), (2, 0.0), (3, 0.05)])
def test_does_what_the_obvious_loop_does(accumulate: int, clip: float, tmp_path: Path) -> None:
    plain, ours = (ExampleTask(dropout=0.0) for _ in range(2))
    losses = plain_loop(plain, steps=6, accumulate=accumulate, lr=0.02, clip=clip)
    fitted = train(
        tmp_path,
        task=ours,
        validated=False,
        epochs=2,
        steps_per_epoch=3 * accumulate,
        accumulate=accumulate,
        gradient_clip=clip,
    )
    half = len(losses) // 2
    assert [row["loss"] for row in fitted.history] == pytest.approx(
        [sum(losses[:half]) / half, sum(losses[half:]) / half], rel=1e-5
    )
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("late", [False, True])
def test_numbers_may_come_late(late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmint.solvers import training_module

    if late:
        monkeypatch.setattr(training_module, "LATE_DEVICES", {"cpu"})
    notes = Notes()
    fitted = train(tmp_path / "late", watch=notes)
    expected = train(tmp_path / "once")
    for row, wanted in zip(fitted.history, expected.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-6)
    assert [done for done, *_ in notes.steps] == list(range(1, 13))


def test_files_and_rows(tmp_path: Path) -> None:
    notes = Notes()
    fitted = train(tmp_path, epochs=3, validate_every=2, watch=notes)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "log.csv", "log.txt"}
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
    }
    rows = table(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["step"] for row in rows] == ["4", "8", "12"]
    assert list(rows[0]) == [
        "epoch", "step", "learning_rate", "loss", "surprise", "size", "val_accuracy"
    ]  # fmt: skip
    assert rows[0]["val_accuracy"] == ""
    for row, known in zip(rows, fitted.history, strict=True):
        assert {name: float(value) for name, value in row.items() if value} == known
        assert known["loss"] == pytest.approx(known["surprise"] + known["size"])
    assert [dict(row) for row, _ in notes.epochs] == list(fitted.history)
    assert (tmp_path / "log.txt").read_text().splitlines() == [line for _, line in notes.epochs]
    assert notes.epochs[2][1].startswith("epoch 3/3, step 12: loss ")
    assert [done for done, *_ in notes.steps] == list(range(1, 13))
    assert {total for _, total, *_ in notes.steps} == {12}
    assert notes.steps[-1][2] == 0
    assert fitted.steps == 12
    assert fitted.stopped == "epochs"


def test_learning_rate_falls_to_the_end_of_the_run(tmp_path: Path) -> None:
    rows = train(tmp_path, epochs=4, validated=False, decay_every="epoch").history
    expected = [0.02 * (1 - epoch / 4) ** 0.9 for epoch in range(4)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected)


def test_steps_in_place_of_epochs(tmp_path: Path) -> None:
    fitted = train(tmp_path, steps=6)
    assert [(row["epoch"], row["step"]) for row in fitted.history] == [(1, 4), (2, 6)]
    assert "val_accuracy" in fitted.history[-1]


def test_keeps_the_best_of_the_validation(tmp_path: Path) -> None:
    task = Scripted(0.3, 0.8, 0.8, 0.5)
    fitted = train(tmp_path, task=task, epochs=4)
    assert (fitted.best_epoch, fitted.best_score) == (2, 0.8)
    assert_same(weights(task), task.seen[1])
    assert_same(read_checkpoint(tmp_path / BEST).task, task.seen[1])
    assert_same(read_checkpoint(tmp_path / LAST).task, task.seen[3])
    assert not task.training


def test_keeps_the_last_without_validation(tmp_path: Path) -> None:
    task = ExampleTask()
    fitted = train(tmp_path, task=task, validated=False)
    assert (fitted.best_epoch, fitted.best_score) == (3, None)
    assert_same(read_checkpoint(tmp_path / LAST).task, weights(task))
    assert not (tmp_path / BEST).exists()


def test_average_is_validated_and_kept(tmp_path: Path) -> None:
    task = Scripted(0.1, 0.2)
    every: list[dict[str, Tensor]] = [weights(task)]
    train(
        tmp_path,
        task=task,
        epochs=2,
        ema=0.6,
        watch=Notes(lambda done: every.append(weights(task))),
    )
    averages = [every[0]]
    for number, current in enumerate(every[1:]):
        kept = min(0.6, (1 + number) / (10 + number))
        averages.append(
            {
                name: kept * averages[-1][name] + (1 - kept) * value
                for name, value in current.items()
            }
        )
    for seen, expected in zip(task.seen, (averages[4], averages[8]), strict=True):
        torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(weights(task), averages[8])


def test_patience(tmp_path: Path) -> None:
    fitted = train(tmp_path, task=Scripted(0.3, 0.5, 0.4, 0.5, 0.9), epochs=9, patience=2)
    assert (len(fitted.history), fitted.stopped, fitted.best_epoch) == (4, "patience", 2)


def test_the_task_may_say_that_it_is_enough(tmp_path: Path) -> None:
    task = ExampleTask()
    task.enough_after = 3
    fitted = train(tmp_path, task=task, epochs=9, validate_every=2)
    assert (len(fitted.history), fitted.stopped) == (3, "enough")
    assert "val_accuracy" in fitted.history[-1]


def test_time_ends_a_run_inside_an_epoch(tmp_path: Path) -> None:
    fitted = train(tmp_path, max_time=0.3, steps_per_epoch=1000, epochs=5, pause=0.01, batch_size=1)
    assert fitted.stopped == "max_time"
    assert len(fitted.history) == 1
    assert 0 < fitted.history[0]["step"] < 1000
    assert "val_accuracy" in fitted.history[0]
    assert fitted.history[0]["learning_rate"] < 0.02
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == fitted.steps
    again = train(tmp_path, max_time=0.3, steps_per_epoch=1000, epochs=5, batch_size=1, resume=True)
    assert (again.stopped, again.steps) == ("max_time", fitted.steps)


def test_a_spoilt_batch_stops_before_it_spoils_the_weights(tmp_path: Path) -> None:
    task = ExampleTask()
    before: list[dict[str, Tensor]] = []
    with pytest.raises(InputError, match=r"loss of image-7006-0, .* and 1 more is nan at step 7"):
        train(
            tmp_path,
            task=task,
            spoilt_step=6,
            watch=Notes(lambda done: before.append(weights(task))),
        )
    assert_same(weights(task), before[-1])
    assert len(before) == 6
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4
    assert len(table(tmp_path)) == 1


def test_a_spoilt_batch_that_is_found_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmint.solvers import training_module

    monkeypatch.setattr(training_module, "LATE_DEVICES", {"cpu"})
    task = ExampleTask()
    seen: list[dict[str, Tensor]] = []
    with pytest.raises(InputError, match=r"loss of image-7007-0, .* is nan at step 8"):
        train(
            tmp_path,
            task=task,
            spoilt_step=7,
            watch=Notes(lambda done: seen.append(weights(task))),
        )
    assert len(seen) == 8
    assert_same(seen[7], seen[6])


def test_a_task_may_explain(tmp_path: Path) -> None:
    class Explaining(ExampleTask):
        def explain(self, batch: Batch) -> None:
            raise InputError(f"term surprise is nan on {batch.names[-1]}")

    with pytest.raises(InputError, match="term surprise is nan on image-7001-3"):
        train(tmp_path, task=Explaining(), spoilt_step=1)


def test_a_gradient_may_be_spoilt_where_the_loss_is_not(tmp_path: Path) -> None:
    class Steep(ExampleTask):
        def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
            total, parts = super().loss(batch)
            return total + (total - total).sqrt(), parts

    task = Steep()
    before = weights(task)
    with pytest.raises(InputError, match=r"norm of the gradient of image-7000-0.* is nan"):
        train(tmp_path, task=task)
    assert_same(weights(task), before)


def test_weights_that_run_away_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lower --learning-rate"):
        train(tmp_path, learning_rate=1e38, optimizer="sgd", steps_per_epoch=1)
    assert not (tmp_path / LAST).exists()


def test_statistics_that_run_away_are_not_kept(tmp_path: Path) -> None:
    class Overflowing(ExampleTask):
        def begin_step(self, step: int) -> None:
            if step == 5:
                self.network[1].running_mean[0] = torch.nan

    with pytest.raises(InputError, match=r"^after step 8 the weights hold values that are no n"):
        train(tmp_path, task=Overflowing(norm=True))
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4


def test_large_statistics_are_numbers(tmp_path: Path) -> None:
    class Large(ExampleTask):
        def begin_step(self, step: int) -> None:
            self.network[1].running_var[0] = 1e30  # whose square float32 does not hold

    train(tmp_path, task=Large(norm=True), epochs=1)


def test_ctrl_c_passes_and_keeps_the_last_epoch(tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        if done == 6:
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, watch=Notes(interrupt))
    assert signal.getsignal(signal.SIGINT) is handler
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4
    assert train(tmp_path, resume=True).history == train(tmp_path / "whole").history


def test_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger("lightning.pytorch").level
    train(tmp_path)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert logging.getLogger("lightning.pytorch").level == level


def test_says_nothing_of_parts_that_never_learn(tmp_path: Path) -> None:
    class Judged(ExampleTask):
        def __init__(self) -> None:
            super().__init__()
            self.judge = nn.BatchNorm2d(2).requires_grad_(False)

        def train(self, mode: bool = True) -> ExampleTask:
            super().train(mode)
            self.judge.eval()
            return self

    task = Judged()
    train(tmp_path / "first", task=task, epochs=1)
    train(tmp_path / "second", task=task, epochs=1)


def test_environment_variables_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SLURM_NTASKS": "4",
        "SLURM_JOB_NAME": "train",
        "SLURM_PROCID": "1",
        "LOCAL_RANK": "1",
        "RANK": "1",
        "WORLD_SIZE": "4",
        "TORCHELASTIC_RUN_ID": "7",
    }.items():
        monkeypatch.setenv(name, value)
    train(tmp_path, epochs=1)
    assert (tmp_path / LAST).exists()


def test_chance_is_of_the_seed_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    first, again, other = (
        train(tmp_path / str(number), seed=seed) for number, seed in enumerate((3, 3, 4))
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert first.history == again.history
    assert first.history != other.history


def test_a_new_run_forgets_the_old_one(tmp_path: Path) -> None:
    train(tmp_path, epochs=4)
    fitted = train(tmp_path, epochs=1, validated=False)
    assert len(fitted.history) == len(table(tmp_path)) == 1
    assert not (tmp_path / BEST).exists()
    assert len((tmp_path / "log.txt").read_text().splitlines()) == 1


def test_resuming_what_is_finished_changes_nothing(tmp_path: Path) -> None:
    task, again = ExampleTask(), ExampleTask()
    fitted = train(tmp_path, task=task)
    files = {path: path.read_bytes() for path in (tmp_path / "log.csv", tmp_path / LAST)}
    notes = Notes()
    assert train(tmp_path, task=again, resume=True, watch=notes).history == fitted.history
    assert not notes.steps
    assert_same(weights(task), weights(again))
    assert all(path.read_bytes() == content for path, content in files.items())


def test_what_a_kill_left_half_done_is_mended(tmp_path: Path) -> None:
    train(tmp_path, task=Scripted(0.1, 0.2), epochs=2)
    (tmp_path / BEST).unlink()  # the kill came after last.ckpt and before best.ckpt
    (tmp_path / "checkpoints" / ".partial-x.ckpt").write_bytes(b"half")
    (tmp_path / "log.csv").write_text("epoch,step\n1,4\n2,8\n3,")
    fitted = train(tmp_path, task=Scripted(0.1, 0.2), epochs=2, resume=True)
    assert (fitted.best_epoch, len(table(tmp_path))) == (2, 2)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
    }


def test_more_epochs_go_on(tmp_path: Path) -> None:
    train(tmp_path, epochs=2, schedule="constant")
    fitted = train(tmp_path, epochs=3, schedule="constant", resume=True)
    whole = train(tmp_path / "whole", epochs=3, schedule="constant")
    assert fitted.history == whole.history


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 4}, "seed 3, now it is 4"),
        ({"learning_rate": 0.5}, r"learning_rate 0\.02, now it is 0\.5"),
        ({"steps_per_epoch": 5}, "batches_per_epoch 4, now it is 5"),
        ({"ema": 0.5}, r"ema 0\.0, now it is 0\.5"),
    ],
)
def test_other_options_do_not_go_on(changes: dict[str, float], said: str, tmp_path: Path) -> None:
    train(tmp_path, epochs=1)
    with pytest.raises(InputError, match=said):
        train(tmp_path, **{"epochs": 2, "resume": True, **changes})


def test_another_network_does_not_go_on(tmp_path: Path) -> None:
    train(tmp_path, epochs=1)
    with pytest.raises(InputError, match=r"network\.0\.weight \(6, 1, 3, 3\) in place of \(7, 1"):
        train(tmp_path, task=ExampleTask(features=7), epochs=2, resume=True)


@pytest.mark.parametrize("scores", [(0.2, float("nan"), 0.1), (float("nan"), 0.2, 0.1)])
def test_a_score_that_is_no_number_is_never_the_best(
    scores: Sequence[float], tmp_path: Path
) -> None:
    assert train(tmp_path, task=Scripted(*scores)).best_score == 0.2


def test_bad_wishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--patience is 3, but no validation gives a score"):
        train(tmp_path, patience=3, validated=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match="pip install tensorboard"):
        train(tmp_path, tensorboard=True)
    with pytest.raises(InputError, match="has no batch"):
        train(tmp_path, steps_per_epoch=0)


def test_a_source_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [example_batch(number, 2) for number in range(3)]
    monkeypatch.setattr(ExampleSource, "batches", lambda *_, **__: iter(batches))
    with pytest.raises(InputError, match="ended before step 12"):
        train(tmp_path)


def test_precision(tmp_path: Path) -> None:
    found: list[torch.dtype] = []

    class Looking(ExampleTask):
        def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
            found.append(self.network(batch.image).dtype)
            assert batch.image.is_contiguous(memory_format=torch.channels_last)
            return super().loss(batch)

        def validate(self, batch: Batch) -> None:
            found.append(self.network(batch.image).dtype)
            super().validate(batch)

    train(tmp_path, task=Looking(), epochs=1, precision="bfloat16")
    assert set(found) == {torch.bfloat16}
    assert len(found) == 4 + 5


def test_groups_bring_their_own_rates(tmp_path: Path) -> None:
    class Frozen(ExampleTask):
        def parameter_groups(self) -> list[dict[str, object]]:
            first, *rest = self.parameters()
            return [{"params": rest}, {"params": [first], "lr": 0.0}]

    task = Frozen()
    before = weights(task)
    train(tmp_path, task=task, epochs=1, weight_decay=0.0)
    same = {name: torch.equal(value, before[name]) for name, value in task.state_dict().items()}
    assert same == {name: name == "network.0.weight" for name in before}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
