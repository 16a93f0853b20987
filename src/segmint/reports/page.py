"""A page: one HTML file without scripts, whose pictures are inside and which requests nothing.

write_page("report.html", Page(title="Cells", lead="Three scans.", sections=(...,)))
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.errors import InputError
from segmint.reports import chart as drawing
from segmint.reports.chart import Chart
from segmint.reports.pictures import Embedded
from segmint.runs import write_text

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture of a figure."""

    picture: Embedded
    alt: str
    """What the picture shows, for readers who do not see it."""
    label: str = ""
    """A few words under the picture."""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InputError("a picture has no alt text: say in words what it shows")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Pictures side by side, one below the other on a phone, with one caption."""

    panels: tuple[Panel, ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    best: bool = False
    """Printed bold."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first column names the rows, the others hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    notes: tuple[str, ...] = ()
    """Under the table: how its numbers were measured."""

    def __post_init__(self) -> None:
        wrong = [len(row) for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise InputError(
                f"a table of {len(self.columns)} columns has a row of {wrong[0]} cells"
            )


@dataclass(frozen=True, kw_only=True)
class Command:
    """A line to paste into a shell, and what it does."""

    line: str
    purpose: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A chapter of a page; its parts appear in the order of these fields."""

    title: str
    text: tuple[str, ...] = ()
    """Paragraphs."""
    legend: tuple[tuple[str, str | None], ...] = ()
    """Names in the figures, each with its color as ``#rrggbb`` where it has one."""
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[Command, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Names and values."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a report says."""

    title: str
    lead: str
    """One or two sentences on what the reader sees."""
    sections: tuple[Section, ...]
    footer: str = ""
    language: str = "en"


def write_page(path: str | Path, page: Page) -> Path:
    """Write a page as one HTML file, whole or not at all.

    Returns:
        The path.

    Raises:
        OutputError: when it cannot be written.
    """
    path = Path(path)
    write_text(path, render(page))
    return path


def render(page: Page) -> str:
    """A page as HTML; text is escaped, so that none of it can be markup.

    Example:
        >>> "5 &lt; 6" in render(Page(title="5 < 6", lead="", sections=()))
        True
    """
    return _template().render(page=page, drawing=drawing)


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("segmint.reports").joinpath("page.html.j2")
    return environment.from_string(source.read_text(encoding="utf-8"))
