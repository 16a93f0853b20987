"""One cell of a comparison: what an arm scored with one seed, as its folder keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Values = Mapping[str, float | None]
"""Scores by their keys, ``mean_iou``; None where nothing was counted."""

WHOLE = ""
"""Name of the answer of a cell that has one only."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one network of a cell scored, or its only one, or a method."""

    scores: Values
    """Over the whole split."""
    images: Mapping[str, Values]
    """The same of each image alone, by its name, in the order of the split."""
    classes: Mapping[str, Values] = field(default_factory=dict)
    """``iou`` and ``dice`` of each class by its name, where classes have names."""


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """What became of a cell."""

    label: str
    """Of the arm."""
    seed: int
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """By the name of the peer or ensemble, what answers unasked first; ``WHOLE`` where there is one
    answer only. Empty where the cell failed."""
    seconds: float = 0.0
    """Of learning, all sittings together; 0 where nothing is learned beforehand."""
    seconds_per_image: float = 0.0
    """Of predicting or segmenting one image, files apart."""
    peak_mib: float | None = None
    """Greatest resident memory of the cell's process, in MiB; None where it cannot be measured."""
    steps: int = 0
    """Changes of the weights in the training; 0 where there was none."""
    notes: tuple[str, ...] = ()
    error: str = ""
    """Why the cell failed, one sentence; empty where it did not."""

    @property
    def failed(self) -> bool:
        """Whether there are no scores."""
        return bool(self.error)
