from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from segmint.errors import InputError
from segmint.objectives import Batch
from segmint.solvers import best_networks
from segmint.solvers.best_networks import Best, best_path, use_best
from segmint.solvers.checkpoints import FOLDER, LAST, Checkpoint, read_checkpoint, write_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from cut_off import CutOff, CutOffError
from training_example import ExampleTask, PairTask, train

NAMES = ("wide", "narrow")


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


class Scripted(PairTask):
    """Its validations have given scores; it remembers the weights of each network they were of."""

    def __init__(self, **given: Sequence[float]) -> None:
        super().__init__(norm=True)
        self.given = given
        self.seen: dict[str, list[dict[str, Tensor]]] = {name: [] for name in NAMES}

    def scores(self) -> dict[str, float]:
        for name, network in self.networks().items():
            self.seen[name].append(weights(network))
        number = len(self.seen["wide"]) - 1
        return {f"{name}/accuracy": scores[number] for name, scores in self.given.items()}


def scripted() -> Scripted:
    return Scripted(
        wide=(0.1, 0.5, 0.5, math.nan), narrow=(math.nan, 0.2, 0.1, 0.3), mean=(0.1, 0.2, 0.4, 0.3)
    )


@pytest.mark.parametrize("ema", [0.0, 0.6])
def test_the_best_of_each_network_are_kept(ema: float, tmp_path: Path) -> None:
    task = scripted()
    fitted = train(tmp_path, task=task, epochs=4, ema=ema)
    assert fitted.best == {"wide": Best(epoch=2, score=0.5), "narrow": Best(epoch=4, score=0.3)}
    assert (fitted.best_epoch, fitted.best_score) == (3, 0.4)
    for name, best in fitted.best.items():
        kept = read_checkpoint(tmp_path / best_path(name))
        assert_same(kept.task, task.seen[name][best.epoch - 1])
        assert not kept.average
        assert not kept.optimizer
        assert kept.facts == {
            "network": name, "epoch": best.epoch, "step": 4 * best.epoch, "score": best.score
        }  # fmt: skip
        assert_same(weights(task.networks()[name]), task.seen[name][2])
        others = {each: weights(task.networks()[each]) for each in NAMES if each != name}
        use_best(task, tmp_path, name)
        assert_same(weights(task.networks()[name]), task.seen[name][best.epoch - 1])
        for each, expected in others.items():
            assert_same(weights(task.networks()[each]), expected)
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} == {
        "best.ckpt", "last.ckpt", "best-wide.ckpt", "best-narrow.ckpt"
    }  # fmt: skip


@pytest.mark.parametrize("ema", [0.0, 0.6])
def test_the_last_where_no_score_chose(ema: float, tmp_path: Path) -> None:
    nothing = [math.nan] * 3
    task = Scripted(wide=(0.1, 0.3, 0.2), narrow=nothing, mean=(0.1, 0.3, 0.2))
    fitted = train(tmp_path, task=task, epochs=3, ema=ema)
    assert fitted.best == {"wide": Best(epoch=2, score=0.3), "narrow": Best(epoch=3, score=None)}
    assert_same(weights(task.networks()["narrow"]), task.seen["narrow"][1])
    use_best(task, tmp_path, "narrow")
    assert_same(weights(task.networks()["narrow"]), task.seen["narrow"][2])
    assert_same(weights(task.networks()["wide"]), task.seen["wide"][1])


def test_the_last_without_validation(tmp_path: Path) -> None:
    task = PairTask()
    fitted = train(tmp_path, task=task, validated=False, epochs=2, ema=0.6)
    last = {name: weights(network) for name, network in task.networks().items()}
    assert fitted.best == dict.fromkeys(NAMES, Best(epoch=2, score=None))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["last.ckpt"]
    for name, network in task.networks().items():
        use_best(task, tmp_path, name)
        assert_same(weights(network), last[name])


def test_weights_that_networks_share(tmp_path: Path) -> None:
    class Sharing(Scripted):
        def __init__(self) -> None:
            super().__init__(wide=(0.1, 0.2), narrow=(0.2, 0.1), mean=(0.1, 0.2))
            self.members["narrow"] = ExampleTask(features=7)
            self.members["narrow"].network[0] = self.members["wide"].network[0]

        def parameter_groups(self) -> list[dict[str, object]]:
            return [{"params": list(self.parameters())}]

    task = Sharing()
    train(tmp_path, task=task, ema=0.6, epochs=2)
    for name, epoch in (("wide", 2), ("narrow", 1)):
        use_best(task, tmp_path, name)
        assert_same(weights(task.networks()[name]), task.seen[name][epoch - 1])


def test_another_network_does_not_get_the_best(tmp_path: Path) -> None:
    train(tmp_path, task=PairTask(), epochs=1)
    with pytest.raises(
        InputError, match=r"best-wide\.ckpt holds another network: 5 weights are missing"
    ):
        use_best(PairTask(norm=True), tmp_path, "wide")


class Killed(BaseException):
    """What a kill is to a program that does not live to see it."""


@pytest.mark.parametrize("ema", [0.0, 0.6])
def test_a_cut_between_any_two_files_is_mended(
    ema: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    fitted = train(whole, task=rising(), epochs=3, ema=ema)
    writes = 4  # of networks in an epoch; each of the two is best in two of the three epochs
    for cut in range(writes):
        folder, left = tmp_path / str(cut), iter(range(cut))

        def write(path: Path, checkpoint: Checkpoint, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed
            write_checkpoint(path, checkpoint)

        with monkeypatch.context() as patch:
            patch.setattr(best_networks, "write_checkpoint", write)
            with pytest.raises(Killed):
                train(folder, task=rising(), epochs=3, ema=ema)
        done = read_checkpoint(folder / LAST).facts["progress"]["step"] // 4
        again = train(folder, task=rising(done), epochs=3, ema=ema, resume=True)
        assert again.best == fitted.best
        assert repr(again.history) == repr(fitted.history)  # with scores that are no numbers
        for name in NAMES:
            found, expected = (each / best_path(name) for each in (folder, whole))
            assert found.read_bytes() == expected.read_bytes()


def rising(done: int = 0) -> Scripted:
    """A task whose networks get better, from its validation after so many epochs on."""
    scores = {"wide": (0.1, 0.2, 0.1), "narrow": (math.nan, 0.2, 0.3), "mean": (0.3, 0.2, 0.1)}
    return Scripted(**{name: each[done:] for name, each in scores.items()})


def test_a_new_run_forgets_the_best_of_the_old_one(tmp_path: Path) -> None:
    train(tmp_path, task=PairTask(), epochs=1)
    (tmp_path / LAST).unlink()
    train(tmp_path, task=PairTask(), epochs=1, validated=False, resume=True)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_each_network_learns_what_it_learns_alone(clip: float, tmp_path: Path) -> None:
    pair = PairTask(dropout=0.0)
    how = {"gradient_clip": clip, "validated": False, "accumulate": 2, "epochs": 2}
    train(tmp_path / "pair", task=pair, **how)
    for name, features, rate in (("wide", 7, 0.02), ("narrow", 3, 0.05)):
        alone = ExampleTask(dropout=0.0, features=features)
        train(tmp_path / name, task=alone, learning_rate=rate, **how)
        assert_same(weights(pair.members[name]), weights(alone))


def test_chance_of_one_network_is_not_that_of_another(tmp_path: Path) -> None:
    class Alone(PairTask):
        monitor = "wide/accuracy"
        monitors = {"wide": "wide/accuracy"}  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            del self.members["narrow"]

        def parameter_groups(self) -> list[dict[str, object]]:
            return [{"params": self.members["wide"].parameters()}]

    pair, alone = PairTask(), Alone()
    for folder, task in (("pair", pair), ("alone", alone)):
        train(tmp_path / folder, task=task, validated=False)
    assert_same(weights(pair.members["wide"]), weights(alone.members["wide"]))


def test_told_the_number_of_the_step_before_each_batch(tmp_path: Path) -> None:
    how = {"epochs": 2, "steps_per_epoch": 6, "accumulate": 3, "steps": 4}
    task = PairTask()
    train(tmp_path / "whole", task=task, **how)
    assert task.begun == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    with pytest.raises(CutOffError):
        train(tmp_path / "cut", task=PairTask(), watch=CutOff(after=3), **how)
    rest = PairTask()
    train(tmp_path / "cut", task=rest, resume=True, **how)
    assert rest.begun == [2, 2, 2, 3, 3, 3]


class Frozen(PairTask):
    """One of its networks does not learn."""

    leaves_weights_out = True

    def __init__(self) -> None:
        super().__init__()
        self.members["narrow"].requires_grad_(False)


def test_a_network_may_be_frozen(tmp_path: Path) -> None:
    task = Frozen()
    before = {name: weights(network) for name, network in task.networks().items()}
    train(tmp_path, task=task, epochs=1, gradient_clip=0.1, ema=0.5)
    fitted = train(tmp_path, task=task, epochs=2, gradient_clip=0.1, ema=0.5, resume=True)
    assert_same(weights(task.networks()["narrow"]), before["narrow"])
    assert fitted.best["narrow"].epoch == 1
    assert not torch.equal(task.networks()["wide"][0].weight, before["wide"]["0.weight"])


class Steep(PairTask):
    """The gradient of one network is no number in its third step, and its loss is one."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        total, parts = super().loss(batch)
        if self.begun[-1] == 2:
            weight = self.members["narrow"].network[0].weight.sum()
            total = total + (weight - weight).sqrt()
        return total, parts


@pytest.mark.parametrize("clip", [0.0, 0.1])
@pytest.mark.parametrize("late", [False, True])
def test_a_spoilt_gradient_names_its_network(
    late: bool, clip: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segmint.solvers import training_module

    if late:
        monkeypatch.setattr(training_module, "LATE_DEVICES", {"cpu"})
    said = r"^the norm of the gradient in network 'narrow' of image-7002-0, .* is nan at step 3: "
    task = Steep()
    with pytest.raises(InputError, match=said):
        train(tmp_path, task=task, steps_per_epoch=2, gradient_clip=clip)
    assert task.begun[-1] == 2  # what explains the batch is told its step again
    assert (tmp_path / best_path("wide")).exists()
    for network in task.networks().values():
        assert all(bool(value.isfinite().all()) for value in network.state_dict().values())


def test_spoilt_weights_name_their_network(tmp_path: Path) -> None:
    class Runaway(PairTask):
        def parameter_groups(self) -> list[dict[str, object]]:
            first, second = super().parameter_groups()
            return [{**first, "lr": 1e38}, second]

    with pytest.raises(InputError, match="after step 1 the weights in network 'wide' hold values"):
        train(tmp_path, task=Runaway(), optimizer="sgd", steps_per_epoch=1)
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize("ema", [0.0, 0.6])
def test_spoilt_statistics_name_their_network(ema: float, tmp_path: Path) -> None:
    """Those of a batch normalization that nothing but the saved network looks at."""

    class Overflowing(PairTask):
        def begin_step(self, step: int) -> None:
            super().begin_step(step)
            if step == 5:
                self.members["narrow"].network[1].running_var[0] = torch.inf

    said = "^after step 8 the weights in network 'narrow' hold values that are no numbers: lower"
    with pytest.raises(InputError, match=said):
        train(tmp_path, task=Overflowing(norm=True), epochs=3, ema=ema)
    assert read_checkpoint(tmp_path / LAST).facts["progress"]["step"] == 4
    for name in NAMES:
        found = read_checkpoint(tmp_path / best_path(name))
        assert found.facts["step"] == 4
        assert all(bool(value.isfinite().all()) for value in found.task.values())


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
