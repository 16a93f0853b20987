from __future__ import annotations

import math
import subprocess
import sys

import pytest

from segmint.errors import UsageError
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training_options import TrainingOptions, duration


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("1 h 30 m", 5400),
     ("1.5h", 5400), ("1d", 86400), ("0.5", 0.5), (2, 2), (0.25, 0.25), ("2H", 7200)],
)  # fmt: skip
def test_durations(given: str | float, seconds: float) -> None:
    assert duration(given) == seconds
    assert TrainingOptions(max_time=given).max_seconds == seconds


@pytest.mark.parametrize("given", ["", "0", "-3", "15x", "h", "1:30", "nan", 0, -1, "0s", "1h30"])
def test_what_is_no_duration(given: str | float) -> None:
    with pytest.raises(UsageError, match="--max-time is"):
        TrainingOptions(max_time=given)


def test_without_a_limit() -> None:
    assert TrainingOptions().max_seconds == math.inf


def test_weight_decay_is_that_of_the_optimizer() -> None:
    assert OptimizerOptions().decay == 0.01
    assert OptimizerOptions(optimizer="adam").decay == 0
    assert OptimizerOptions(optimizer="sgd", weight_decay=0.1).decay == 0.1


def test_other_names() -> None:
    options = OptimizerOptions.from_mapping({"name": "sgd", "lr": 0.5, "power": 2})
    assert (options.optimizer, options.learning_rate, options.decay_power) == ("sgd", 0.5, 2)


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        (OptimizerOptions, {"optimizer": "adamww"}, "did you mean 'adamw'"),
        (OptimizerOptions, {"schedule": "linear"}, "--schedule is 'linear'"),
        (OptimizerOptions, {"accumulate": 0}, "--accumulate is 0, accepted is 1 or more"),
        (OptimizerOptions, {"lrr": 1}, "unknown option 'lrr'"),
        (TrainingOptions, {"ema": 1.0}, "--ema is 1.0, accepted is 0 to"),
        (TrainingOptions, {"epochs": 0}, "--epochs is 0, accepted is 1 or more"),
    ],
)
def test_bad_values(
    options: type[OptimizerOptions] | type[TrainingOptions], given: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        options.from_mapping(given)


def test_help_needs_no_torch() -> None:
    code = (
        "import sys, segmint.solvers.optimizer_options, segmint.solvers.training_options;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
