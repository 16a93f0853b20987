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
    progress = Progress(step=4, history=[{"loss": 0.1 + 0.2}], best_score=-math.inf)
    progress.add_networks({"unet": 0.1 + 0.2})
    assert Progress.from_facts(json.loads(json.dumps(progress.facts()))) == progress


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
