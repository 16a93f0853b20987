"""Options of how peers teach each other."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.options import Options, option

MODES = ("ensemble", "pairwise")
GATES = ("none", "surer", "right")
PIXELS = ("labelled", "all")


@dataclass(frozen=True, kw_only=True)
class MutualOptions(Options):
    """What peers learn from each other; the defaults are the published method."""

    mutual: str = option("ensemble", choices=MODES)
    """What draws a peer: the mean of the others' predictions, or each of them in turn."""
    mutual_weight: float = option(1.0, low=0, high=1e6)
    """Weight of the divergence beside each peer's own objective."""
    temperature: float = option(1.0, low=0.01, high=1e3)
    """Divides all logits before the divergence, which its square multiplies."""
    ramp_up_steps: int = option(0, low=0)
    """Steps over which the weight of the divergence rises from 0."""
    teacher: str | None = option(None)
    """Name of the one peer that teaches all others and learns from none; if not given all teach
    each other."""
    gate: str = option("none", choices=GATES)
    """Which pixels teach: all, those where the teaching side is surer, or where it is right."""
    mutual_pixels: str = option("labelled", choices=PIXELS)
    """Pixels of images with masks that are compared: labelled ones, or those without a label,
    too."""
    solo: bool = option(False)
    """Let a twin of each peer that learns from others learn alone beside it, to tell what mutual
    learning brings."""
