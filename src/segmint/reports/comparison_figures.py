"""Images of a comparison on its page: a picture for each row, truth and the best row to slide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from segmint.comparisons.table import ComparisonTable
from segmint.reports.class_picture import is_dim, shown_size
from segmint.reports.comparison_cells import shortened
from segmint.reports.comparison_examples import ComparisonExample
from segmint.reports.comparison_figure import (
    COMPONENTS,
    choice_told,
    legend_of,
    panel_title,
    rank_told,
)
from segmint.reports.comparison_panels import TRUTH, comparison_panels
from segmint.reports.example_panels import ExamplePanel
from segmint.reports.page import Figure, Panel, Section, Slider, pictures_length
from segmint.reports.pictures import embed, embed_drawn, fitted_into

LONGEST_SIDE = 400
"""Pixels of a picture of the page, where there is room for all."""

MOST_LENGTH = 3_600_000
"""Letters of the page that all pictures may take."""

LONGEST_LABEL = 20
"""Letters over half a picture."""

_SHEET_SIDE = 1600


def example_section(
    table: ComparisonTable, examples: Sequence[ComparisonExample], picture: Path | None
) -> Section:
    """The chapter of the pictures.

    Args:
        table: whose rows they show.
        examples: in the order in which they are shown; without any the file is.
        picture: the file of all of them.
    """
    where = () if picture is None else (f"All of them are in {picture}, for a talk or a paper.",)
    if not examples:
        return Section(
            title="Images", text=where, figures=() if picture is None else (_sheet(picture),)
        )
    components = (COMPONENTS,) if examples[0].palette is None else ()
    best = next((row.title for row in table.ranked), "")
    return Section(
        title="Images",
        text=(choice_told(table, examples), *components, *where),
        legend=tuple(legend_of(examples)),
        figures=fitted_into(
            lambda side: tuple(_figure(table, each, best, side) for each in examples),
            pictures_length,
            most=MOST_LENGTH,
            longest_side=LONGEST_SIDE,
        ),
    )


def _sheet(picture: Path) -> Figure:
    """The file itself, as an earlier call wrote it."""
    from PIL import Image as Pillow

    with Pillow.open(picture) as file:
        drawn = np.asarray(file.convert("RGB"))
    shown = embed(drawn, longest_side=_SHEET_SIDE)
    alt = "Images with their truth and the predictions of all rows."
    return Figure(panels=(Panel(picture=shown, alt=alt),))


def _figure(table: ComparisonTable, example: ComparisonExample, best: str, side: int) -> Figure:
    name, mean = rank_told(table, example)
    dim = "; the image is shown brighter than it is" if is_dim(example.image) else ""
    return Figure(
        panels=tuple(_panels(example, best, side)),
        caption=f"{name[:1].upper()}{name[1:]}{mean}{dim}",
    )


def _panels(example: ComparisonExample, best: str, side: int) -> Iterator[Panel | Slider]:
    """All pictures, and at the end truth and the best row one over the other.

    Of two rows both, which leaves no hole in lines of three.
    """
    panels = {panel.title: _panel(example, panel, side) for panel in comparison_panels(example)}
    yield from panels.values()
    rows = [*example.predictions] if len(example.predictions) == 2 else [best]
    for row in rows:
        if TRUTH in panels and row in panels:
            under = replace(panels[row], label=shortened(row, LONGEST_LABEL))
            yield Slider(left=panels[TRUTH], right=under)


def _panel(example: ComparisonExample, panel: ExamplePanel, side: int) -> Panel:
    title, score = panel_title(example, panel)
    what = title if title not in example.predictions else f"prediction of {title}"
    return Panel(
        picture=embed_drawn(panel.draw(shown_size(example.image.shape[:2], side))),
        alt=f"{what[:1].upper()}{what[1:]} for {example.name}.",
        label=f"{title} {score}".strip(),
    )
