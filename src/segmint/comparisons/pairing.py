"""Which rows of a table are tested against which, and what the tests say."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from segmint.comparisons.measured_row import MeasuredRow
from segmint.comparisons.statistics import holm, paired_t_test, signed_rank_test
from segmint.comparisons.table import Column, Pairing

FEW_ROWS = 4
"""Rows of which all pairs are tested; of more, each with the first and each with the best."""

Key = TypeVar("Key", int, str)


def pair_rows(rows: Sequence[MeasuredRow], column: Column) -> tuple[Pairing, ...]:
    """Tests of the pairs of rows that readers ask about, over seeds and over images.

    A pair tells the best row less another, or else a later row less an earlier one.

    Args:
        rows: of a table, the first being what others are measured against.
        column: the score that is tested.

    Returns:
        Of each pair one entry over seeds, then one over images, as far as there is any.
    """
    scored = [each for each in rows if each.over_seeds(column.name)]
    pairings = [
        pairing
        for first, second in _pairs(scored, column)
        for pairing in _tests(first, second, column.name)
    ]
    return tuple(_adjusted(pairings))


def _pairs(
    rows: Sequence[MeasuredRow], column: Column
) -> Iterator[tuple[MeasuredRow, MeasuredRow]]:
    if not rows:
        return
    best = _best(rows, column)
    for earlier, later in itertools.combinations(rows, 2):
        if len(rows) <= FEW_ROWS or best in (earlier, later) or earlier is rows[0]:
            yield (earlier, later) if earlier is best else (later, earlier)


def _best(rows: Sequence[MeasuredRow], column: Column) -> MeasuredRow:
    sign = 1 if column.better == "higher" else -1
    return max(rows, key=lambda each: sign * (each.row.mean(column.name) or 0.0))


def _tests(first: MeasuredRow, second: MeasuredRow, score: str) -> Iterator[Pairing]:
    one, other = _paired(first.over_seeds(score), second.over_seeds(score))
    if one:
        yield _pairing(first, second, score, "seeds", (one, other), paired_t_test(one, other))
    seeds = [seed for seed in first.answers if seed in second.answers]
    one, other = _paired(first.over_images(score, seeds), second.over_images(score, seeds))
    if one:
        yield _pairing(first, second, score, "images", (one, other), signed_rank_test(one, other))


def _paired(
    first: Mapping[Key, float], second: Mapping[Key, float]
) -> tuple[list[float], list[float]]:
    """The values of the keys that both have, in the same order."""
    shared = [key for key in first if key in second]
    return [first[key] for key in shared], [second[key] for key in shared]


def _pairing(
    first: MeasuredRow,
    second: MeasuredRow,
    score: str,
    over: Literal["seeds", "images"],
    values: tuple[list[float], list[float]],
    p_value: float | None,
) -> Pairing:
    return Pairing(
        first=first.row.title,
        second=second.row.title,
        column=score,
        over=over,
        pairs=len(values[0]),
        difference=statistics.fmean(one - other for one, other in zip(*values, strict=True)),
        p_value=p_value,
    )


def _adjusted(pairings: Sequence[Pairing]) -> list[Pairing]:
    """With Holm's correction, for the tests over seeds and those over images apart."""
    adjusted: dict[int, float | None] = {}
    for over in ("seeds", "images"):
        places = [place for place, each in enumerate(pairings) if each.over == over]
        values = holm([pairings[place].p_value for place in places])
        adjusted |= dict(zip(places, values, strict=True))
    return [
        dataclasses.replace(each, adjusted=adjusted[place]) for place, each in enumerate(pairings)
    ]
