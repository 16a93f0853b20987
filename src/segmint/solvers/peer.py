"""One of several networks that learn side by side."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from segmint.objectives.objective import Objective
from segmint.solvers.peer_names import ENSEMBLE


@dataclass(frozen=True, kw_only=True, eq=False)
class Peer:
    """A network, what it learns by itself, and from whom it learns."""

    network: nn.Module
    """Maps images (N, C, H, W) to logits (N, K, h, w)."""
    objective: Objective
    """Its own, of the labels."""
    teachers: tuple[str, ...] = ()
    """Names of the peers whose predictions it is drawn to; without any it learns alone."""
    ensemble: str = ENSEMBLE
    """Name of the ensemble that it is a member of."""
    learning_rate: float | None = None
    """Its greatest one; None is that of the run."""
    frozen: bool = False
    """It teaches and does not learn."""
