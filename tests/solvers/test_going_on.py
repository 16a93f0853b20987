"""Files that a training cannot go on from are refused before anything is learned or written."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from segmint.errors import InputError
from segmint.solvers.best_networks import best_path, use_best
from segmint.solvers.checkpoints import (
    BEST,
    FOLDER,
    LAST,
    read_checkpoint,
    write_checkpoint,
)
from segmint.solvers.sitting import LearningError

sys.path.insert(0, str(Path(__file__).parent))
from training_example import ExampleSource, ExampleTask, PairTask, train


class Scripted(PairTask):
    """Its networks were best in the first epoch, ``narrow`` in the third."""

    def __init__(self, *, norm: bool = False) -> None:
        super().__init__(norm=norm)
        self.validations = 0

    def scores(self) -> dict[str, float]:
        self.validations += 1
        number = min(self.validations, 4) - 1
        wide, narrow = (0.5, 0.2, 0.1, 0.1)[number], (0.1, 0.2, 0.3, 0.1)[number]
        return {"wide/accuracy": wide, "narrow/accuracy": narrow, "mean/accuracy": wide}


@pytest.fixture(params=[0.0, 0.6])
def ema(request: pytest.FixtureRequest) -> float:
    value: float = request.param
    return value


@pytest.fixture
def folder(ema: float, tmp_path: Path) -> Path:
    """Of a training of three epochs."""
    train(tmp_path, task=Scripted(), epochs=3, schedule="constant", ema=ema)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(folder: Path, ema: float, said: str) -> None:
    """Going on ends with a sentence, and no file has changed by it."""
    before, task = contents(folder), Scripted()
    with pytest.raises(InputError, match=said) as caught:
        train(folder, task=task, epochs=5, schedule="constant", ema=ema, resume=True)
    assert not isinstance(caught.value, LearningError)
    assert not task.begun
    assert contents(folder) == before


def test_the_best_so_far_is_enough(folder: Path, ema: float) -> None:
    fitted = train(folder, task=Scripted(), epochs=5, schedule="constant", ema=ema, resume=True)
    assert {name: best.epoch for name, best in fitted.best.items()} == {"wide": 1, "narrow": 3}


def test_what_the_last_checkpoint_has_is_written_anew(folder: Path, ema: float) -> None:
    path = folder / best_path("narrow")
    before = path.read_bytes()
    path.write_bytes(b"half")
    train(folder, task=Scripted(), epochs=5, schedule="constant", ema=ema, resume=True)
    assert path.read_bytes() == before


def test_lost_best_weights(folder: Path, ema: float) -> None:
    path = folder / best_path("wide")
    content = path.read_bytes()
    path.unlink()
    refused(folder, ema, r"best-wide\.ckpt does not exist, though wide was best in epoch 1: bring")
    path.write_bytes(content[: len(content) // 2])
    refused(folder, ema, r"best-wide\.ckpt is not a whole checkpoint")
    shutil.copy(folder / best_path("narrow"), path)
    refused(folder, ema, r"best-wide\.ckpt holds another network")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"network": "narrow"},
            "holds network 'narrow' of epoch 1, step 4, .* accepted is network",
        ),
        ({"epoch": 2}, "of epoch 2, step 4"),
        ({"step": 8}, "of epoch 1, step 8"),
        ({"score": 0.25}, r"with score 0\.25, accepted is .* with score 0\.5"),
    ],
)
def test_best_weights_of_another_time(
    changes: dict[str, object], said: str, folder: Path, ema: float
) -> None:
    path = folder / best_path("wide")
    found = read_checkpoint(path)
    write_checkpoint(path, replace(found, facts={**found.facts, **changes}))
    refused(folder, ema, rf"best-wide\.ckpt .*{said}")
    with pytest.raises(InputError, match=said):
        use_best(Scripted(), folder, "wide")


def test_lost_best_checkpoint(folder: Path, ema: float) -> None:
    path = folder / BEST
    path.unlink()
    refused(folder, ema, r"best\.ckpt does not exist, though epoch 1 was the best: bring it back")
    shutil.copy(folder / LAST, path)
    refused(folder, ema, r"best\.ckpt is of epoch 3 of a training, but epoch 1 of this one was")
    shutil.copy(folder / best_path("wide"), path)
    refused(folder, ema, r"best\.ckpt is not a whole checkpoint that segmint wrote \(it tells no")
    path.write_bytes(b"")
    refused(folder, ema, r"best\.ckpt is not a whole checkpoint")


def test_best_checkpoint_of_another_training(folder: Path, ema: float, tmp_path: Path) -> None:
    train(tmp_path / "other", task=Scripted(), epochs=1, schedule="constant", ema=ema, seed=8)
    shutil.copy(tmp_path / "other" / BEST, folder / BEST)
    shutil.rmtree(tmp_path / "other")
    refused(folder, ema, r"best\.ckpt is of epoch 1 of a training, but epoch 1 of this one was")


def test_the_chosen_weights_must_fit_at_the_end(tmp_path: Path) -> None:
    train(tmp_path, epochs=1)

    class Meddled(ExampleTask):
        def scores(self) -> dict[str, float]:
            other = ExampleTask(features=7).state_dict()
            best = read_checkpoint(tmp_path / BEST)
            write_checkpoint(tmp_path / BEST, replace(best, task=other))
            return {"accuracy": -1.0}

    with pytest.raises(InputError, match=r"best\.ckpt holds another network: .*of another shape"):
        train(tmp_path, task=Meddled(), epochs=2, schedule="poly", resume=True)


Change = Callable[[dict], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.clear(),
        lambda facts: facts.pop("progress"),
        lambda facts: facts.pop("fixed"),
        lambda facts: facts.pop("updates"),
        lambda facts: facts.update(fixed=None),
        lambda facts: facts.update(fixed=[1]),
        lambda facts: facts.update(updates="3"),
        lambda facts: facts.update(updates=-1),
        lambda facts: facts.update(progress=[]),
        lambda facts: facts["progress"].update(step=-4),
        lambda facts: facts["progress"].update(step="4"),
        lambda facts: facts["progress"].update(history=None),
        lambda facts: facts["progress"].update(best_steps={"../../x": 12}),
        lambda facts: facts["progress"].update(best_steps={"x": 4}, best_scores={"x": 0.5}),
        lambda facts: facts["progress"].update(zz=1),
    ],
)
def test_a_last_checkpoint_with_other_facts(change: Change, folder: Path, ema: float) -> None:
    path = folder / LAST
    found = read_checkpoint(path)
    facts = dict(found.facts)
    change(facts)
    write_checkpoint(path, replace(found, facts=facts))
    refused(
        folder, ema, r"last\.ckpt is not a whole checkpoint that segmint wrote \(it tells|does not"
    )


def test_averages_are_those_of_the_task(folder: Path, ema: float) -> None:
    path = folder / LAST
    found = read_checkpoint(path)
    lost: Mapping[str, Tensor] = dict(list(found.average.items())[1:])
    other = {**lost, "other": torch.zeros(2)}
    write_checkpoint(path, replace(found, average=other))
    refused(folder, ema, r"last\.ckpt holds another network: 1 weight is (missing|unknown)")


class Fixed(ExampleTask):
    def __init__(self, **told: object) -> None:
        super().__init__()
        self.told = told

    def fixed(self) -> Mapping[str, object]:
        return self.told


def test_what_the_task_and_its_source_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path, task=Fixed(names=("a", "b"), rate=None), epochs=1, schedule="constant")
    for told, said in (
        ({"names": ("b", "a"), "rate": None}, r"names \['a', 'b'\], now it is \['b', 'a'\]: go on"),
        ({"names": ("a", "b"), "rate": 0.5}, "rate None, now it is 0.5"),
        ({"rate": None}, r"names \['a', 'b'\], now it is None"),
    ):
        with pytest.raises(InputError, match=said):
            train(tmp_path, task=Fixed(**told), epochs=2, schedule="constant", resume=True)
    again = Fixed(names=["a", "b"], rate=None)
    with monkeypatch.context() as patch:
        patch.setattr(ExampleSource, "fixed", {"images": 5}, raising=False)
        with pytest.raises(InputError, match="made with images None, now it is 5"):
            train(tmp_path, task=again, epochs=2, schedule="constant", resume=True)
    train(tmp_path, task=again, epochs=2, schedule="constant", resume=True)


def test_what_fails_later_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="is nan at step 7"):
        train(tmp_path, spoilt_step=6)
    assert (tmp_path / FOLDER).is_dir()
