"""What can be chosen about region mutual information."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.errors import UsageError
from segmint.options import Options, option

POOLINGS = ("none", "average", "max", "interpolate")
ACTIVATIONS = ("sigmoid", "softmax")
NORMALIZATIONS = ("window", "paper")


@dataclass(frozen=True, kw_only=True)
class RmiOptions(Options):
    """Checked arguments of :func:`segmint.objectives.rmi_loss`."""

    radius: int = option(3, low=1, high=10)
    """side of a window in pixels"""
    pooling: str = option("none", choices=POOLINGS)
    """how the maps are made smaller first"""
    pool_size: int = option(1, low=1)
    """so many times smaller"""
    activation: str = option("sigmoid", choices=ACTIVATIONS)
    """from logits to probabilities"""
    normalization: str = option("window", choices=NORMALIZATIONS)
    """independent of the image's size, or the published value"""
    epsilon: float = option(5e-4, low=1e-12)
    """added to the diagonals"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pooling == "none" and self.pool_size != 1:
            raise UsageError(
                f"--pool-size is {self.pool_size} but --pooling is 'none': choose one of "
                f"{', '.join(POOLINGS[1:])} for --pooling, or leave --pool-size out"
            )

    @property
    def published(self) -> bool:
        """Ignored pixels and borders as in the published code, for the same value."""
        return self.normalization == "paper"
