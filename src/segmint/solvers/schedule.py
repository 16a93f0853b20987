"""The learning rate of every step, as a share of its greatest value."""

from __future__ import annotations

import math

from segmint.solvers.optimizer_options import OptimizerOptions


def rate_factor(
    options: OptimizerOptions,
    *,
    done: int,
    total: int,
    per_epoch: int,
    time_share: float = 0.0,
) -> float:
    """Share of the learning rate that the next step takes.

    It depends on the number of the step alone, so that a run that goes on goes on alike; only
    where a run is bounded by time does the clock say how much of it is over.

    Args:
        options: schedule, power, unit and warm-up.
        done: steps so far.
        total: steps of the whole run.
        per_epoch: steps of an epoch.
        time_share: of the time that a run bounded by time has used, 0 to 1.

    Returns:
        0 to 1; the warm-up ends at 1, the schedule falls from 1 to 0 after the last step.

    Example:
        >>> options = OptimizerOptions(schedule="cosine", warmup_steps=2)
        >>> [round(rate_factor(options, done=n, total=6, per_epoch=3), 2) for n in range(6)]
        [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]
    """
    if done < options.warmup_steps:
        return (done + 1) / options.warmup_steps
    if options.schedule == "constant":
        return 1.0
    if options.decay_every == "epoch":
        done -= done % per_epoch
    steps = max(total - options.warmup_steps, 1)
    over = max((done - options.warmup_steps) / steps, 0.0)
    over = min(max(over, time_share), 1.0)
    if options.schedule == "cosine":
        return 0.5 + 0.5 * math.cos(math.pi * over)
    return float((1 - over) ** options.decay_power)
