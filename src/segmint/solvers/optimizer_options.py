"""Options of the optimizer and of its learning rate."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.options import Options, option

OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("constant", "poly", "cosine")
DECAY_UNITS = ("step", "epoch")
ADAMW_WEIGHT_DECAY = 0.01


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions(Options):
    """How weights follow their gradients."""

    optimizer: str = option("adamw", choices=OPTIMIZERS, aliases=("name",))
    """Rule by which weights are changed."""
    learning_rate: float = option(1e-3, low=0, high=1e38, aliases=("lr",))
    """Greatest step size."""
    weight_decay: float | None = option(None, low=0, high=1e6)
    """Pull of the weights to zero; if not given 0.01 with adamw, else 0."""
    momentum: float = option(0.9, low=0, high=0.9999)
    """Momentum of sgd."""
    schedule: str = option("poly", choices=SCHEDULES)
    """How the learning rate falls until the end of the run."""
    decay_power: float = option(0.9, low=0, high=100, aliases=("power",))
    """Of poly: the learning rate falls as (1 - done / total) to this power."""
    decay_every: str = option("step", choices=DECAY_UNITS)
    """Whether the learning rate falls with each step or once an epoch."""
    warmup_steps: int = option(0, low=0)
    """Steps at the start over which the learning rate rises."""
    gradient_clip: float = option(0.0, low=0, high=1e12)
    """Greatest norm of a gradient; 0 does not clip."""
    accumulate: int = option(1, low=1)
    """Batches whose gradients are averaged for one step."""

    @property
    def decay(self) -> float:
        """The weight decay, that of the optimizer where none was given."""
        if self.weight_decay is not None:
            return self.weight_decay
        return ADAMW_WEIGHT_DECAY if self.optimizer == "adamw" else 0.0
