"""``segmint.compare``: the same data and budget for every arm, several seeds, one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmint.comparisons.arm import Arm
from segmint.comparisons.budget import Budget
from segmint.comparisons.cell import CellResult
from segmint.comparisons.conducting import conduct
from segmint.comparisons.plan import Comparison
from segmint.comparisons.planning import Question, plan
from segmint.comparisons.table import ComparisonTable
from segmint.comparisons.tabulation import tabulate
from segmint.datasets.opening import AUTO

DEFAULT_OUT = "segmint-comparison"


@dataclass(frozen=True, kw_only=True, repr=False)
class Compared:
    """A comparison that has run."""

    comparison: Comparison
    """What was compared."""
    cells: tuple[CellResult, ...]
    """In the order of arms and seeds, those that failed included."""

    def __repr__(self) -> str:
        arms = ", ".join(arm.label for arm in self.comparison.arms)
        return f"Compared({arms} on {self.comparison.dataset}, {len(self.cells)} cells)"

    @property
    def table(self) -> ComparisonTable:
        """Mean and deviation over seeds, paired tests, what was the same and what was not."""
        return tabulate(self.comparison, self.cells)


def compare(
    arms: str | Arm | Sequence[str | Arm],
    *,
    data: str | Path,
    dataset: str = AUTO,
    out: str | Path = DEFAULT_OUT,
    seeds: int = 3,
    budget_minutes: float | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    split: str | None = None,
    images: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    jobs: int = 1,
    overwrite: bool = False,
    after: Callable[[CellResult], None] = lambda result: None,
) -> Compared:
    """Compare recipes with each other, or methods, on the same data with the same budget.

    Each cell, an arm with a seed, runs in a process of its own and is kept in a folder of its own.
    Called once more with the same arguments, what is finished is not done again.

    Args:
        arms: ``NAME`` of a recipe, a method or ``blank``, ``LABEL=NAME``, or a group: ``study``,
            ``label-free``, ``mixtures``.
        data: root of the data set.
        dataset: its layout; ``auto`` recognizes it.
        out: folder for everything.
        seeds: how many.
        budget_minutes: that each cell may learn; 10 where neither epochs nor steps are given.
        epochs: that each cell learns, in place of minutes.
        steps: likewise.
        split: that is scored; None is ``test`` where it has a truth, else ``val``.
        images: so many of the split, evenly spread; None is all.
        settings: options: ``{"training.batch_size": 4}`` of all arms that have it,
            ``{"LABEL:features": 64}`` of one, ``{"LABEL:preset": "study"}`` its preset.
        seed: the first one; the others follow it.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        threads: of each cell; 0 is the libraries' own choice.
        jobs: cells at once.
        overwrite: throw away the cells that are in ``out``.
        after: called with each cell that has run now.

    Raises:
        UsageError: for an unknown arm or option, arms that cannot be compared, or a folder that
            holds something else.
        InputError: for data that cannot be used.
    """
    question = Question(
        arms=[arms] if isinstance(arms, str | Arm) else [*arms],
        data=data,
        out=out,
        dataset=dataset,
        seeds=seeds,
        first_seed=seed,
        budget=Budget(minutes=budget_minutes, epochs=epochs, steps=steps),
        split=split,
        images=images,
        values=settings or {},
        device=device,
        precision=precision,
        threads=threads,
        jobs=jobs,
    )
    comparison = plan(question)
    cells = conduct(comparison, overwrite=overwrite, jobs=jobs, after=after)
    return Compared(comparison=comparison, cells=cells)
