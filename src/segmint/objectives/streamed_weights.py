"""What a term tells the streamed pass about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from segmint.objectives.batch import Batch

NeighborWeights = Callable[[Batch], tuple[Tensor | None, Tensor | None]]


@dataclass(frozen=True, kw_only=True)
class StreamedWeights:
    """Weights of the terms that the streamed pass can sum."""

    similarity: float = 0.0
    continuity_x: float = 0.0
    continuity_y: float = 0.0
    scribble: float = 0.0
    max_area: float = 0.0
    min_area: float = 0.0
    neighbor_weights: NeighborWeights | None = None
    """Weights of neighbor pairs for continuity; None weighs all pairs alike."""

    @property
    def areas(self) -> bool:
        """Whether an area term takes part."""
        return self.max_area != 0 or self.min_area != 0

    @property
    def pixelwise(self) -> bool:
        """Whether a term of single pixels takes part."""
        return self.areas or self.similarity != 0 or self.scribble != 0
