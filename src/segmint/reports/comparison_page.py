"""What the page of a comparison says, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from segmint import __version__
from segmint.comparisons.table import ComparisonTable, Spread, TableRow
from segmint.reports.chart import Chart
from segmint.reports.comparison_cells import (
    ABSENT,
    ShownCell,
    failed_cells,
    legend,
    place,
    seeds_told,
    shown_columns,
    unfinished,
)
from segmint.reports.comparison_examples import ComparisonExample
from segmint.reports.comparison_figures import example_section
from segmint.reports.comparison_outcome import outcome
from segmint.reports.comparison_pairs import (
    pair_cells,
    pair_columns,
    pair_notes,
    row_pairs,
)
from segmint.reports.page import Bar, Bars, Cell, Command, Page, Section, Table

REFRESH = 30
"""Seconds after which a browser reads the page of an unfinished comparison once more."""

_MOST_NAMED = 4
"""Arms that the title names."""

_PLUS_MINUS = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"

_CLASS_SCORES = {"iou": "IoU", "dice": "Dice"}


def comparison_page(
    table: ComparisonTable,
    examples: Sequence[ComparisonExample] = (),
    *,
    chart: Chart | None = None,
    picture: Path | None = None,
) -> Page:
    """The page.

    Args:
        table: what was found so far.
        examples: images that show it.
        chart: how the arms learned.
        picture: file of the examples, for a talk.
    """
    return Page(
        title=f"{_arms(table)} on {table.dataset}",
        lead=outcome(table).removeprefix(unfinished(table)).strip(),
        sections=tuple(_sections(table, examples, chart, picture)),
        footer=f"segmint {__version__}. Data in {table.root}.",
        notice=_notice(table),
        refresh=None if table.finished else REFRESH,
    )


def _sections(
    table: ComparisonTable,
    examples: Sequence[ComparisonExample],
    chart: Chart | None,
    picture: Path | None,
) -> Iterator[Section]:
    bars = _bars(table)
    yield Section(
        title="Scores", bars=() if bars is None else (bars,), tables=(_score_table(table),)
    )
    if examples or picture is not None:
        yield example_section(table, examples, picture)
    if table.pairings:
        yield Section(title="Differences", tables=(_pair_table(table),))
    classes = _class_table(table)
    if classes is not None:
        yield Section(title="Classes", tables=(classes,))
    if chart is not None:
        yield Section(title="How they learned", charts=(chart,))
    yield _same_section(table)
    if table.differences:
        yield Section(title="What differed", tables=(_difference_table(table),))
    if table.failures or table.missing:
        yield _gaps_section(table)
    yield _again_section(table)


def _notice(table: ComparisonTable) -> str:
    return f"{unfinished(table)} This page is written anew after each." if unfinished(table) else ""


def _bars(table: ComparisonTable) -> Bars | None:
    """The main score of every row; lengths begin at 0."""
    column, rows = table.main, table.ranked
    means = [row.mean(column.name) or 0.0 for row in rows]
    most = max(means, default=0.0)
    if most <= 0 or len(rows) < 2:
        return None
    full = 1.0 if most <= 1 and column.better == "higher" else most
    shown = [row for row in table.rows if row in rows]
    return Bars(
        caption=f"{column.title[:1].upper()}{column.title[1:]}, {_spread_words(table)}",
        bars=tuple(
            Bar(
                label=row.title,
                text=_told(row.scores[column.name], column.digits).joined(_PLUS_MINUS),
                share=min(max((row.mean(column.name) or 0.0) / full, 0.0), 1.0),
            )
            for row in shown
        ),
    )


def _spread_words(table: ComparisonTable) -> str:
    better = f"{table.main.better} is better"
    if len(table.seeds) == 1:
        return f"one seed; {better}."
    return f"mean and standard deviation over seeds; {better}."


def _score_table(table: ComparisonTable) -> Table:
    columns = shown_columns(table)
    return Table(
        columns=("model", *(column.title for column in columns)),
        rows=tuple(
            (Cell(text=row.title), *(_cell(column.cells[index]) for column in columns))
            for index, row in enumerate(table.rows)
        ),
        caption=f"Scores on {place(table)}",
        notes=(*legend(table, best="bold"), *table.notes),
    )


def _class_table(table: ComparisonTable) -> Table | None:
    """A line for each class, a column for each row of the table."""
    rows = [row for row in table.rows if row.classes]
    names = dict.fromkeys(name for row in rows for name in row.classes)
    if not names:
        return None
    score = _CLASS_SCORES[table.class_score]
    return Table(
        columns=("class", *(row.title for row in rows)),
        rows=tuple((Cell(text=name), *_class_cells(rows, name)) for name in names),
        caption=f"{score} of each class",
        notes=(f"{legend(table, best='bold')[0].replace('column', 'line')}",),
    )


def _class_cells(rows: Sequence[TableRow], name: str) -> Iterator[Cell]:
    spreads = [row.classes.get(name, Spread(())) for row in rows]
    shown = [round(each.mean, 3) for each in spreads if each.mean is not None]
    best = max(shown) if len(set(shown)) > 1 else None
    for spread in spreads:
        mean = None if spread.mean is None else round(spread.mean, 3)
        cell = _told(spread, 3)
        yield Cell(text=cell.joined(_PLUS_MINUS), best=mean is not None and mean == best)


def _pair_table(table: ComparisonTable) -> Table:
    return Table(
        columns=pair_columns(table),
        rows=tuple(
            tuple(Cell(text=text) for text in pair_cells(table, pair)) for pair in row_pairs(table)
        ),
        caption=f"{table.main.title[:1].upper()}{table.main.title[1:]} of a row less another",
        notes=tuple(pair_notes(table)),
    )


def _same_section(table: ComparisonTable) -> Section:
    data = f"{place(table)}; {seeds_told(table)}"
    return Section(title="What was the same", facts={"scored on": data, **table.same})


def _difference_table(table: ComparisonTable) -> Table:
    """Every option in which the arms are not alike."""
    return Table(
        columns=("option", *table.labels),
        rows=tuple(
            (
                Cell(text=each.option),
                *(Cell(text=each.values.get(label, ABSENT)) for label in table.labels),
            )
            for each in table.differences
        ),
        caption="Options in which the arms are not alike",
        notes=(f"{ABSENT}: the arm has no such option, or it is not set.",),
    )


def _gaps_section(table: ComparisonTable) -> Section:
    missing = (f"Not run yet: {'; '.join(table.missing)}.",) if table.missing else ()
    failed = tuple(f"Failed: {line}" for line in failed_cells(table))
    return Section(title="What is missing", text=(*failed, *missing))


def _again_section(table: ComparisonTable) -> Section:
    purpose = "What is there is kept, and only what is missing is run:"
    commands = (Command(line=table.command, purpose=purpose),) if table.command else ()
    facts = {"machine": table.machine} if table.machine else {}
    facts["time of all cells"] = _duration(table.seconds)
    return Section(title="To do it once more", commands=commands, facts={**facts, **table.versions})


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    Example:
        >>> _duration(5025.0), _duration(42.4)
        ('1 h 23 min', '42 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _told(spread: Spread, digits: int) -> ShownCell:
    if spread.mean is None:
        return ShownCell(mean=ABSENT)
    deviation = "" if spread.deviation is None else f"{spread.deviation:.{digits}f}"
    return ShownCell(mean=f"{spread.mean:.{digits}f}", deviation=deviation)


def _cell(cell: ShownCell) -> Cell:
    return Cell(text=cell.joined(_PLUS_MINUS), best=cell.best)


def _arms(table: ComparisonTable) -> str:
    """Their labels, or of many their number."""
    if len(table.labels) > _MOST_NAMED:
        return f"{len(table.labels)} arms"
    *first, last = table.labels
    return f"{', '.join(first)} and {last}" if first else last
