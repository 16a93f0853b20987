"""How images are cut for networks, and from how many sides they are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from segmint.errors import UsageError
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.views import Views


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """What decides how a network answers a large image, beside the network."""

    limit: MemoryLimit | None = None
    """What the process may hold; None is half of what is free."""
    tile: int | None = None
    """Pixels of a tile's side; None takes what fits the memory."""
    views: Views = field(default_factory=Views)
    """Test-time augmentation."""

    def resolved_limit(self) -> MemoryLimit:
        """The limit, looked up where none was given."""
        return MemoryLimit.of(None) if self.limit is None else self.limit

    def described(self) -> dict[str, Any]:
        """What a result says of it: the views, where there are several."""
        if len(self.views) == 1:
            return {}
        views = self.views
        return {"tta": {"flips": views.flips, "rotations": views.rotations, "scales": views.scales}}

    def refuse_views(self, learned: str) -> None:
        """Say that what answers has no probabilities to take the mean of.

        Raises:
            UsageError: where test-time augmentation was asked for.
        """
        if len(self.views) > 1:
            raise UsageError(
                f"--tta takes the mean of probabilities, and this run learned {learned} without "
                "them: leave it out"
            )
