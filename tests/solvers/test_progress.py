from __future__ import annotations

import json
import math

import pytest

from segmint.solvers.clock import Clock
from segmint.solvers.means import Means
from segmint.solvers.progress import Extent, Progress
from segmint.solvers.training_options import TrainingOptions


@pytest.mark.parametrize(
    ("options", "batches", "accumulate", "steps", "per_epoch"),
    [
        ({"epochs": 3}, 10, 1, 30, 10),
        ({"epochs": 3}, 10, 4, 9, 3),
        ({"epochs": 3, "steps_per_epoch": 300}, 10, 4, 900, 300),
        ({"steps": 25}, 10, 1, 25, 10),
    ],
)
def test_extent(
    options: dict[str, int], batches: int, accumulate: int, steps: int, per_epoch: int
) -> None:
    extent = Extent.of(TrainingOptions(**options), batches_per_epoch=batches, accumulate=accumulate)
    assert extent == Extent(steps=steps, per_epoch=per_epoch)


def test_steps_of_epochs() -> None:
    extent = Extent(steps=25, per_epoch=10)
    assert [extent.epoch_of(step) for step in (1, 10, 11, 25)] == [1, 1, 2, 3]
    assert [extent.steps_to_epoch_end(done) for done in (0, 9, 10, 13, 20)] == [10, 1, 10, 7, 5]


def test_the_best_is_the_first_of_equals() -> None:
    progress = Progress()
    gains = []
    for number, score in enumerate((0.1, None, 0.3, 0.3, 0.2), start=1):
        progress.step = 10 * number
        gains.append(progress.add({"loss": 0.0}, score))
    assert gains == [True, False, True, False, False]
    assert (progress.best_step, progress.best_score) == (30, 0.3)
    assert progress.validations_without_gain == 2


def test_each_network_has_a_best_of_its_own() -> None:
    progress = Progress()
    epochs = ({"a": 0.1, "b": math.nan}, {}, {"a": 0.1, "b": -2.0}, {"a": 0.3, "b": math.nan})
    for number, scores in enumerate(epochs, start=1):
        progress.step = 10 * number
        progress.add_networks(scores)
    assert progress.best_steps == {"a": 40, "b": 30}
    assert progress.best_scores == {"a": 0.3, "b": -2.0}


def test_facts_survive_json() -> None:
    for progress in (Progress(), example()):
        assert Progress.from_facts(json.loads(json.dumps(progress.facts()))) == progress


def example() -> Progress:
    progress = Progress(step=4, seconds=2.5)
    progress.add({"epoch": 1.0, "step": 4.0, "loss": 0.1 + 0.2}, None)
    progress.add_networks({"unet": 0.1 + 0.2})
    progress.step = 8
    progress.add({"epoch": 2.0, "step": 8.0, "loss": 0.1}, 0.3)
    return progress


def test_epoch_of_a_step_that_ended_one() -> None:
    assert [example().epoch_at(step) for step in (4, 8)] == [1, 2]


ROW = {"epoch": 1.0, "step": 8.0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"step": "8"}, "step cannot be that"),
        ({"step": -8}, "step cannot be that"),
        ({"step": 8.0}, "step cannot be that"),
        ({"step": True}, "step cannot be that"),
        ({"step": 10**9}, "step and history contradict each other"),
        ({"step": 4}, "step and history contradict each other"),
        ({"seconds": math.nan}, "seconds cannot be that"),
        ({"seconds": -1}, "seconds cannot be that"),
        ({"seconds": math.inf}, "seconds cannot be that"),
        ({"history": None}, "history cannot be that"),
        ({"history": [5]}, "history cannot be that"),
        ({"history": [{"step": 8.0}]}, "history cannot be that"),
        ({"history": [{**ROW, "loss": "x"}]}, "history cannot be that"),
        ({"history": [{**ROW, "step": 7.5}]}, "history cannot be that"),
        ({"history": [{**ROW, "epoch": math.nan}]}, "history cannot be that"),
        ({"history": []}, "step and history contradict"),
        ({"history": [ROW, ROW]}, "step and history contradict"),
        ({"best_step": 3}, "best_step is not in the history"),
        ({"best_score": None}, "best_score cannot be that"),
        ({"best_score": math.nan}, "best_score cannot be that"),
        ({"validations_without_gain": -1}, "validations_without_gain cannot be that"),
        ({"best_steps": 5}, "best_steps cannot be that"),
        ({"best_steps": {"zz": 4}}, "are of other networks"),
        ({"best_steps": {"unet": 5}}, "the best step of 'unet' is not in the history"),
        ({"best_scores": {}}, "are of other networks"),
        ({"best_scores": {"unet": None}}, "best_scores cannot be that"),
        ({"stopped": "tired"}, "stopped cannot be that"),
        ({"stopped": []}, "stopped cannot be that"),
        ({"zz": 1}, "'zz' is unknown"),
    ],
)
def test_facts_that_no_training_told(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Progress.from_facts({**example().facts(), **changes})


@pytest.mark.parametrize("name", list(Progress().facts()))
def test_facts_that_are_missing(name: str) -> None:
    facts = example().facts()
    del facts[name]
    with pytest.raises(ValueError, match=f"{name} is missing"):
        Progress.from_facts(facts)


@pytest.mark.parametrize("facts", [None, 5, [], "x"])
def test_facts_that_are_no_mapping(facts: object) -> None:
    with pytest.raises(ValueError, match="it is no mapping"):
        Progress.from_facts(facts)


@pytest.mark.parametrize(
    ("step", "seconds", "stopped", "expected"),
    [
        (10, 0, "", "epochs"),
        (9, 0, "", ""),
        (9, 0, "epochs", ""),
        (9, 61, "", "max_time"),
        (9, 59, "max_time", ""),
        (9, 0, "patience", "patience"),
        (10, 0, "enough", "enough"),
    ],
)
def test_what_is_over(step: int, seconds: float, stopped: str, expected: str) -> None:
    progress = Progress(step=step, seconds=seconds, stopped=stopped)
    over = progress.is_over(Extent(steps=10, per_epoch=5), TrainingOptions(max_time="1m"))
    assert (over, progress.stopped) == (bool(expected), expected)


def test_means_of_several_processes() -> None:
    parts = [Means(), Means()]
    parts[0].add(("loss", "size"), (2.0, 1.0), weight=4)
    parts[0].add(("loss", "size"), (5.0, 0.0), weight=2)
    parts[1].add(("loss", "size"), (1.0, 4.0), weight=6)
    together = Means.of_all([part.told() for part in parts])
    assert together.values() == pytest.approx({"loss": 24 / 12, "size": 28 / 12})
    assert together.weight == 12


def test_clock() -> None:
    clock = Clock(100.0, 200.0)
    assert clock.seconds_left(0, 5) is None
    assert 100 <= clock.seconds < 130
    assert 0.5 <= clock.share < 0.7
    clock.first_step()
    assert 0 <= clock.seconds_left(1_000, 1) < 30
    assert 70 < clock.seconds_left(1, 10**12) <= 100
    assert Clock(0.0, math.inf).share == 0
    assert Clock(500.0, 200.0).share == 1
