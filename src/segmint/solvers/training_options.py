"""Options of a training: how long, how it is validated, where it runs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from segmint.errors import UsageError
from segmint.options import Options, option

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)([dhms])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")


@dataclass(frozen=True, kw_only=True)
class LoopOptions(Options):
    """What can be asked of every training, whatever learns."""

    max_time: str | float | None = option(None)
    """Stop after so long, like 90s, 15m or 1h30m; a number is seconds. The learning rate has
    fallen by then, so that no two such runs are quite alike."""
    tensorboard: bool = option(False)
    """Write a log for TensorBoard, too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_time is not None:
            duration(self.max_time)

    @property
    def max_seconds(self) -> float:
        """``max_time`` in seconds; infinite where none was given."""
        return math.inf if self.max_time is None else duration(self.max_time)


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(LoopOptions):
    """How long to learn, and what to do on the way.

    Whatever ends first ends the run: its epochs or steps, ``max_time``, ``patience``.
    """

    epochs: int = option(100, low=1)
    """Passes over the data."""
    steps: int = option(0, low=0)
    """Changes of the weights, in place of epochs; 0 goes by epochs."""
    batch_size: int = option(8, low=1)
    """Images a batch, over all processes."""
    steps_per_epoch: int = option(0, low=0)
    """Steps that make an epoch; 0 takes as many as see all data once."""
    validate_every: int = option(1, low=1)
    """Epochs from one validation to the next; the last epoch is always validated."""
    patience: int = option(0, low=0)
    """Stop after so many validations in a row without a better score; 0 never does."""
    ema: float = option(0.0, low=0, high=0.99999)
    """Validate and keep a moving average of the weights, which keeps this share of itself at each
    step, 0.999 for example; 0 keeps the weights themselves."""
    devices: int = option(1, low=1, high=64)
    """Processes on a machine that share every batch, each with its own GPU, or all on the CPU,
    where batch normalization looks at the images of its own process."""
    nodes: int = option(1, low=1, high=1024)
    """Machines, each with as many processes, which torchrun or SLURM's srun starts."""
    workers: int = option(0, low=0, high=64)
    """Processes that read and transform images; 0 does it between the steps."""
    cache: bool = option(False)
    """Keep decoded images in memory."""

    @property
    def world(self) -> int:
        """Processes on all machines together."""
        return self.nodes * self.devices


def duration(given: str | float) -> float:
    """Seconds of a duration as people write it; a number is seconds already.

    Raises:
        UsageError: for what is no duration above 0.

    Example:
        >>> duration("90"), duration("1h30m"), duration("1.5m")
        (90.0, 5400.0, 90.0)
    """
    plain = re.sub(r"\s+", "", str(given).lower())
    if re.fullmatch(r"\d+(?:\.\d+)?", plain):
        seconds = float(plain)
    elif _DURATION.fullmatch(plain):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(plain))
    else:
        seconds = 0.0
    if seconds <= 0:
        raise UsageError(
            f"--max-time is {given!r}, accepted is a time above 0 like 90s, 15m, 2h or 1h30m, or a "
            "number of seconds"
        )
    return seconds
