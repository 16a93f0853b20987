"""The table of a comparison: mean and deviation over seeds, differences, what was the same."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from segmint.comparisons.cell import WHOLE, CellResult


@dataclass(frozen=True, kw_only=True)
class Column:
    """A score of the table."""

    name: str
    """Key of the score, ``mean_iou``."""
    title: str
    """What readers call it, ``mean IoU``."""
    better: Literal["higher", "lower"] = "higher"
    digits: int = 4


@dataclass(frozen=True)
class Spread:
    """A number for each seed.

    Example:
        >>> spread = Spread((0.5, None, 0.7))
        >>> spread.known, spread.mean, round(spread.deviation, 4)
        ((0.5, 0.7), 0.6, 0.1414)
    """

    values: tuple[float | None, ...]
    """In the order of the seeds of their row; None where nothing was counted."""

    @property
    def known(self) -> tuple[float, ...]:
        """Those that are numbers."""
        return tuple(value for value in self.values if value is not None)

    @property
    def mean(self) -> float | None:
        """None where there is no number."""
        return statistics.fmean(self.known) if self.known else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation over seeds (n - 1); None for fewer than two."""
        return statistics.stdev(self.known) if len(self.known) > 1 else None


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """An arm, or one of the networks that an arm has."""

    label: str
    """Of the arm."""
    answer: str = WHOLE
    """Peer or ensemble of the arm, or ``WHOLE``."""
    seeds: tuple[int, ...] = ()
    """Those that have a result."""
    scores: Mapping[str, Spread] = field(default_factory=dict)
    """By the name of their column."""
    classes: Mapping[str, Spread] = field(default_factory=dict)
    """``class_score`` of each class by its name, where classes have names."""
    seconds: Spread = Spread(())
    """Of learning."""
    seconds_per_image: Spread = Spread(())
    peak_mib: Spread = Spread(())
    steps: Spread = Spread(())
    published: Mapping[str, float] = field(default_factory=dict)
    """Published figures by the name of their column, where the data set is the full one."""

    @property
    def title(self) -> str:
        """``mutual: unet``."""
        return f"{self.label}: {self.answer}" if self.answer != WHOLE else self.label

    def mean(self, name: str) -> float | None:
        """Over seeds, of the score of that name; None where there is none."""
        return self.scores[name].mean if name in self.scores else None


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """A row less another, on the same seeds or the same images."""

    first: str
    """Title of a row."""
    second: str
    column: str
    over: Literal["seeds", "images"]
    pairs: int
    """How many seeds, or images (each by its mean over seeds)."""
    difference: float
    """Mean of first less second."""
    p_value: float | None
    """Two-sided paired t-test over seeds, Wilcoxon's signed-rank test over images; None where there
    are too few pairs or they do not differ."""
    adjusted: float | None = None
    """The same after Holm's correction over all pairings of the table that are over the same."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An option in which the arms are not alike."""

    option: str
    """``network.network``."""
    values: Mapping[str, str]
    """By the label of the arm, for those that have the option."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ComparisonTable:
    """Everything that a comparison tells."""

    dataset: str
    split: str
    root: str
    n_images: int
    is_full: bool
    """Whether the split is the official one with all its images."""
    seeds: tuple[int, ...]
    """Asked for."""
    columns: tuple[Column, ...]
    """The first is what pairings and examples go by."""
    class_score: Literal["iou", "dice"] = "iou"
    """Which score of each class rows have."""
    rows: tuple[TableRow, ...]
    """Arms in the order they were named."""
    pairings: tuple[Pairing, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    """What all arms shared: split, augmentation, schedule, budget."""
    differences: tuple[Difference, ...] = ()
    failures: tuple[CellResult, ...] = ()
    missing: tuple[str, ...] = ()
    """Cells that have not run yet, ``unet-rmi, seed 2``."""
    notes: tuple[str, ...] = ()
    published_source: str = ""
    """Where published figures are from; empty where there are none."""
    command: str = ""
    """The line to do it once more."""
    machine: str = ""
    """Processor, cores, memory."""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Of all cells together, learning and scoring."""

    def __repr__(self) -> str:
        counts = {"row": len(self.rows), "seed": len(self.seeds)}
        told = (f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
        return f"ComparisonTable({self.dataset} {self.split}, {', '.join(told)})"

    @property
    def finished(self) -> bool:
        """Whether every cell has run."""
        return not self.missing

    @property
    def main(self) -> Column:
        """What pairings and examples go by."""
        return self.columns[0]

    @property
    def n_cells(self) -> int:
        """Of the whole comparison, those that failed or have not run yet included."""
        return len(self.labels) * len(self.seeds)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the arms, in their order."""
        return tuple(dict.fromkeys(row.label for row in self.rows))

    @property
    def n_done(self) -> int:
        """Cells that have run, those that failed included."""
        return self.n_cells - len(self.missing)

    @property
    def ranked(self) -> tuple[TableRow, ...]:
        """Rows that have the main score, the best first."""
        column = self.main
        sign = -1 if column.better == "higher" else 1
        scored = [row for row in self.rows if row.mean(column.name) is not None]
        return tuple(sorted(scored, key=lambda row: sign * (row.mean(column.name) or 0.0)))

    def best(self, column: Column) -> frozenset[str]:
        """Titles of the rows whose mean of a column is the best in the digits that are shown.

        Empty where fewer than two rows have one, or all are equal.
        """
        means = {
            row.title: round(mean, column.digits)
            for row in self.rows
            if (mean := row.mean(column.name)) is not None
        }
        if len(set(means.values())) < 2:
            return frozenset()
        best = (max if column.better == "higher" else min)(means.values())
        return frozenset(title for title, mean in means.items() if mean == best)
