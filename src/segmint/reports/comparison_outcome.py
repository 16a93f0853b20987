"""What a comparison found, in a few sentences that claim no more than its tests do."""

from __future__ import annotations

from collections.abc import Iterator

from segmint.comparisons.table import Column, ComparisonTable, Pairing, TableRow
from segmint.reports.comparison_cells import place, probability, unfinished
from segmint.reports.comparison_pairs import corrected_over, tested_pairs

LEVEL = 0.05
"""P values below this, after the correction, are called a difference."""


def outcome(table: ComparisonTable) -> str:
    """Which row is best and by how much, or that no difference can be told.

    The best row is compared with the best row of another arm: over seeds, and in a sentence of its
    own over images, which speaks of these trainings alone.
    """
    return " ".join(part for part in (unfinished(table), *_sentences(table)) if part)


def _sentences(table: ComparisonTable) -> Iterator[str]:
    ranked = table.ranked
    if not ranked:
        yield "No cell has a score" + (" yet." if not table.finished else ".")
        return
    best = ranked[0]
    if len(ranked) == 1:
        yield f"{best.title} reaches {_score(best, table.main)} on {place(table)}."
        return
    rival = next((row for row in ranked if row.label != best.label), ranked[1])
    pairings = _own_pairings(table, best, rival)
    yield _comparison(table, best, rival, pairings.get("seeds"))
    images = pairings.get("images")
    if images is not None and images.adjusted is not None:
        learned = any(row.steps.mean for row in (best, rival))
        told = (
            _by_image(images, table.main)
            if images.adjusted < LEVEL
            else f"no difference between {best.title} and {rival.title} shows"
        )
        yield (
            f"{'On these weights' if learned else 'With these results'}, image by image, {told} "
            f"(Wilcoxon's signed-rank test over {images.pairs:,} images, "
            f"{_p_value(table, images)})."
        )


def _by_image(images: Pairing, column: Column) -> str:
    """Which of two rows is better with most of what it differs in."""
    is_first = (images.difference > 0) is (column.better == "higher")
    better, worse = images.first, images.second
    return f"{better} is better than {worse}" if is_first else f"{worse} is better than {better}"


def _comparison(
    table: ComparisonTable, best: TableRow, rival: TableRow, seeds: Pairing | None
) -> str:
    """The two best rows, and how sure it is that they differ."""
    column, where = table.main, place(table)
    gap = _gap(best, rival, column, seeds)
    if _shown(best, column) == _shown(rival, column):
        return f"{best.title} and {rival.title} are equal on {where}: {_score(best, column)}."
    if seeds is None or seeds.pairs < 2:
        return (
            f"{best.title} comes first on {where}: {_score(best, column)}, {gap}; whether other "
            "seeds would agree one seed cannot tell."
        )
    if seeds.adjusted is None:
        return (
            f"{best.title} is best on {where}: {_score(best, column)}, {gap}, the same with all "
            f"{seeds.pairs} seeds."
        )
    test = f"paired t-test over {seeds.pairs} seeds, {_p_value(table, seeds)}"
    if seeds.adjusted < LEVEL:
        return (
            f"{best.title} is best on {where}: {_score(best, column)}, {gap}, which is more than "
            f"chance of the seeds ({test})."
        )
    return (
        f"Over seeds no difference between {best.title} and {rival.title} can be told on {where}: "
        f"{_score(best, column)} against {_number(rival, column)} ({test})."
    )


def _score(row: TableRow, column: Column) -> str:
    count = len(row.scores[column.name].known)
    seeds = "with one seed" if count == 1 else f"over {count} seeds"
    return f"{column.title} {_number(row, column)} {seeds}"


def _number(row: TableRow, column: Column) -> str:
    spread = row.scores[column.name]
    mean, deviation = _shown(row, column), spread.deviation
    return mean if deviation is None else f"{mean} ± {deviation:.{column.digits}f}"


def _shown(row: TableRow, column: Column) -> str:
    return f"{row.mean(column.name):.{column.digits}f}"


def _gap(best: TableRow, rival: TableRow, column: Column, seeds: Pairing | None) -> str:
    """The difference of the means, or of the seeds that both have, where these are not all."""
    gap = (best.mean(column.name) or 0.0) - (rival.mean(column.name) or 0.0)
    if seeds is not None and best.seeds != rival.seeds:
        gap = seeds.difference if seeds.first == best.title else -seeds.difference
    side = "above" if gap > 0 else "below"
    return f"{abs(gap):.{column.digits}f} {side} {rival.title}"


def _own_pairings(table: ComparisonTable, best: TableRow, rival: TableRow) -> dict[str, Pairing]:
    titles = {best.title, rival.title}
    return {each.over: each for each in table.pairings if {each.first, each.second} == titles}


def _p_value(table: ComparisonTable, pairing: Pairing) -> str:
    value = probability(pairing.adjusted)
    said = f"p {value}" if value.startswith("<") else f"p = {value}"
    pairs = tested_pairs(table, pairing.over)
    return f"{said} after Holm's correction over {corrected_over(pairs)}" if pairs > 1 else said
