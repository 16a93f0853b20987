"""The tests of a comparison, a line for each pair of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from segmint.comparisons.pairing import FEW_ROWS
from segmint.comparisons.statistics import LEAST_IMAGES, LEAST_SEEDS
from segmint.comparisons.table import ComparisonTable, Pairing
from segmint.reports.comparison_cells import ABSENT, probability

PAIRS_NOTE = "Pairs are each row with the first, and each with the best."
"""Of tables with more rows than all pairs are made of."""

FEW_SEEDS = 5
"""With fewer the t-test finds only what is large."""


@dataclass(frozen=True, kw_only=True)
class RowPair:
    """A row less another, by both tests."""

    first: str
    second: str
    seeds: Pairing | None = None
    images: Pairing | None = None

    @property
    def title(self) -> str:
        """``unet-rmi - unet``."""
        return f"{self.first} - {self.second}"


def row_pairs(table: ComparisonTable) -> list[RowPair]:
    """In the order of the table's pairings."""
    found: dict[tuple[str, str], dict[str, Pairing]] = {}
    for each in table.pairings:
        found.setdefault((each.first, each.second), {})[each.over] = each
    return [
        RowPair(first=first, second=second, seeds=own.get("seeds"), images=own.get("images"))
        for (first, second), own in found.items()
    ]


def pair_columns(table: ComparisonTable) -> tuple[str, ...]:
    """Heads of :func:`pair_cells`."""
    score = table.main.title
    return ("pair", f"{score}, difference", "seeds", "p over seeds", "images", "p over images")


def pair_cells(table: ComparisonTable, pair: RowPair) -> tuple[str, ...]:
    """The pair, its difference, and how many seeds and images gave which corrected p value."""
    shown = pair.seeds or pair.images
    difference = ABSENT if shown is None else f"{shown.difference:+.{table.main.digits}f}"
    return (pair.title, difference, *_test_cells(pair.seeds), *_test_cells(pair.images))


def pair_notes(table: ComparisonTable) -> Iterator[str]:
    """How the tests were made and what they can find."""
    seeds, images = tested_pairs(table, "seeds"), tested_pairs(table, "images")
    if len(table.ranked) > FEW_ROWS:
        yield PAIRS_NOTE
    if seeds:
        yield (
            "Over seeds: two-sided paired t-test, whether trainings with other seeds would agree"
            f"{_corrected(seeds)}."
        )
        if len(table.seeds) < FEW_SEEDS:
            yield (
                f"{len(table.seeds)} seeds are few: the test finds only differences that are large "
                "beside their spread, and a large p value does not say that rows are equal."
            )
    if images:
        yield (
            "Over images: two-sided signed-rank test of Wilcoxon, each image by its mean over "
            f"seeds, whether other images would agree with these trainings{_corrected(images)}."
        )
    if any(each.p_value is None for each in table.pairings):
        yield (
            f"{ABSENT}: fewer than {LEAST_SEEDS} seeds or {LEAST_IMAGES} images that both have, or "
            "the same difference with all of them."
        )


def tested_pairs(table: ComparisonTable, over: Literal["seeds", "images"]) -> int:
    """How many pairs have a p value, which Holm's correction is over."""
    return sum(each.over == over and each.p_value is not None for each in table.pairings)


def _test_cells(pairing: Pairing | None) -> tuple[str, str]:
    if pairing is None:
        return ABSENT, ABSENT
    return f"{pairing.pairs:,}", probability(pairing.adjusted)


def corrected_over(pairs: int) -> str:
    """What Holm's correction counts, at least two: ``the 11 pairs that could be tested``."""
    return f"the {pairs} pairs that could be tested"


def _corrected(pairs: int) -> str:
    """Nothing for one pair, which needs no correction."""
    return f"; p values after Holm's correction over {corrected_over(pairs)}" if pairs > 1 else ""
